package cli

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func lacks(text, part string) error {
	if strings.Contains(text, part) {
		return nil
	}
	return fmt.Errorf("%q is not in %q yet", part, text)
}

func TestServe(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	stdout, _, stop := s.start("serve", "--worker", "--listen", "127.0.0.1:0")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "\n") })
	url := strings.TrimSpace(stdout.String())
	testkit.Eventually(t, time.Minute, func() error {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		r, err := (&http.Client{Transport: transport}).Get(url + "/healthz")
		if err != nil {
			return err
		}
		defer r.Body.Close()
		if r.StatusCode != http.StatusOK {
			return fmt.Errorf("%s/healthz: %s", url, r.Status)
		}
		return nil
	})
	s.must(exitOK, "submit", "--wait", s.path("in")) // --worker: somebody works on it
	if r := stop(); r.code != exitOK {
		t.Errorf("exit code %d, want %d; stderr:\n%s", r.code, exitOK, r.stderr)
	}
}

func TestServeOnATakenAddress(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	stdout, _, stop := s.start("serve", "--json", "--listen", "127.0.0.1:0")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), `{"type":"server","url":"http://127.0.0.1:`) })
	_, address, _ := strings.Cut(stdout.String(), "http://")
	address, _, _ = strings.Cut(address, `"`)
	r := s.must(exitError, "serve", "--listen", address)
	contains(t, "stderr", r.stderr, "error: listen tcp "+address, "(set --listen to a free address)\n")
	stop()
}
