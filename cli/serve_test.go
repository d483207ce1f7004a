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
	s.must(exitOK, "submit", "--wait", s.path("in")) // --worker: the server runs it
	if r := stop(); r.code != exitOK {
		t.Errorf("exit code %d, want %d; stderr:\n%s", r.code, exitOK, r.stderr)
	}
}

// Others choose what a worker on shared services reads.
func TestNothingWorksOnServicesWithoutRoots(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.env = append(s.env, "BALER_REDIS_URL="+testkit.Redis(t), "BALER_DATABASE_URL="+testkit.MySQL(t))
	for _, args := range [][]string{{"serve", "--worker", "--listen", "127.0.0.1:0"}, {"worker"}, {"run", s.path("in")}} {
		r := s.must(exitError, args...)
		contains(t, "stderr", r.stderr, "could make this worker read any file: set BALER_ROOTS (--roots)")
		if r.stdout != "" || strings.Contains(r.stderr, "Stop it with Ctrl-C") {
			t.Errorf("%v says that it starts: %s%s", args, r.stdout, r.stderr)
		}
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

func TestServeToOthersNeedsAToken(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	r := s.must(exitError, "serve", "--listen", "0.0.0.0:0")
	contains(t, "stderr", r.stderr, "error: other hosts can connect to ", "BALER_HTTP_TOKEN", "--insecure")
	if r.stdout != "" {
		t.Errorf("it says that it serves: %s", r.stdout)
	}
	for _, args := range [][]string{{"serve", "--listen", "0.0.0.0:0", "--insecure"}, {"serve", "--listen", "127.0.0.1:0"}} {
		stdout, _, stop := s.start(args...)
		testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "http://") })
		if r := stop(); r.code != exitOK {
			t.Errorf("%v: exit code %d\n%s", args, r.code, r.stderr)
		}
	}
	s.env = append(s.env, "BALER_HTTP_TOKEN=open-sesame")
	stdout, _, stop := s.start("serve", "--listen", "0.0.0.0:0")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "\n") })
	url := strings.TrimSpace(stdout.String()) + "/v1/transfers"
	for token, want := range map[string]int{"": http.StatusUnauthorized, "open-sesame": http.StatusOK} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		testkit.Must(t, err)
		req.Header.Set("Authorization", "Bearer "+token)
		transport := &http.Transport{}
		answer, err := transport.RoundTrip(req)
		testkit.Must(t, err)
		testkit.Must(t, answer.Body.Close())
		transport.CloseIdleConnections()
		if answer.StatusCode != want {
			t.Errorf("with token %q: %s, want %d", token, answer.Status, want)
		}
	}
	stop()
}

func TestServeHTTPS(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	pem := testkit.NewCertificates(t)
	s.env = append(s.env, "BALER_HTTP_TLS_CERT="+pem.Cert, "BALER_HTTP_TLS_KEY="+pem.CA)
	r := s.must(exitError, "serve", "--listen", "127.0.0.1:0")
	contains(t, "stderr", r.stderr, "http.tls.cert and http.tls.key: ")
	if r.stdout != "" {
		t.Errorf("it says that it serves: %s", r.stdout)
	}
	s.env = append(s.env, "BALER_HTTP_TLS_KEY="+pem.Key)
	stdout, stderr, stop := s.start("serve", "--listen", "127.0.0.1:0")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "https://127.0.0.1:") })
	if n := strings.Count(stderr.String(), "the certificate must be renewed soon"); n != 1 {
		t.Errorf("a certificate for an hour is warned of %d times:\n%s", n, stderr.String())
	}
	url := strings.TrimSpace(stdout.String())
	s.env = append(s.env, "BALER_SERVER="+url)
	r = s.must(exitError, "status")
	contains(t, "stderr", r.stderr, "certificate")
	s.env = append(s.env, "BALER_SERVER_CA="+pem.CA)
	s.must(exitOK, "status")
	if r := stop(); r.code != exitOK {
		t.Errorf("exit code %d, want %d; stderr:\n%s", r.code, exitOK, r.stderr)
	}
}
