package systemtest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

// pageSite is a server with folders that it may read and write.
type pageSite struct {
	*baler.Baler

	url, root, outputs string
}

func servePages(t *testing.T) pageSite {
	t.Helper()
	s, c := pagesConfig(t)
	s.Baler = open(t, c, nil)
	s.url, _ = server(t, s.Baler, true)
	return s
}

func pagesConfig(t *testing.T) (s pageSite, c config.Config) {
	t.Helper()
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	backends[0].set(t, &c)
	s = pageSite{root: testkit.NumberedTree(t, 5), outputs: t.TempDir()}
	recipes := t.TempDir()
	testkit.WriteFile(t, filepath.Join(recipes, "sums.yaml"), "name: sums\nsteps:\n  - name: checksum\n    handler: checksum\nfinally:\n"+
		"  - name: list\n    handler: manifest\n    with: {to: '"+s.outputs+"/${name}.sha256'}\n")
	testkit.WriteFile(t, filepath.Join(recipes, "own.yaml"), "name: own\nsteps:\n  - handler: checksum\n  - handler: copy\n    with: {to: copies}\nfinally:\n"+
		"  - handler: manifest\n    with: {to: 'lists/${transfer}.sha256'}\n")
	c.Roots, c.Outputs, c.Worker.Recipes, c.Worker.Grace = []string{s.root}, []string{s.outputs}, []string{recipes}, 5*time.Second
	return s, c
}

// page reads a page.
func (s *pageSite) page(t *testing.T, path string) (status int, body string) {
	t.Helper()
	return s.send(t, http.MethodGet, path, nil)
}

func (s *pageSite) send(t *testing.T, method, path string, form url.Values) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(form.Encode()))
	testkit.Must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Close = true
	res, err := http.DefaultTransport.RoundTrip(req)
	testkit.Must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	testkit.Must(t, err)
	return res.StatusCode, res.Header.Get("Location") + string(text)
}

func TestAFormThatIsSentTwiceMakesOneTransfer(t *testing.T) {
	t.Parallel()
	s := servePages(t)
	status, plan := s.page(t, "/new?look=1&recipe=sums&name=mine&path="+url.QueryEscape(s.root))
	key := regexp.MustCompile(`name="key" value="([^"]+)"`).FindStringSubmatch(plan)
	if status != http.StatusOK || key == nil || !strings.Contains(plan, "5 files") {
		t.Fatalf("%d %s", status, plan)
	}
	form := url.Values{"path": {s.root}, "recipe": {"sums"}, "name": {"mine"}, "key": {key[1]}}
	status, first := s.send(t, http.MethodPost, "/new", form)
	_, second := s.send(t, http.MethodPost, "/new", form)
	if status != http.StatusSeeOther || first != second || !strings.HasPrefix(first, "/transfers/") {
		t.Fatalf("%d leads to %q and %q", status, first, second)
	}
	wait(t, s.Baler, strings.TrimPrefix(first, "/transfers/"))
	form.Set("recipe", "noop")
	if status, body := s.send(t, http.MethodPost, "/new", form); status != http.StatusConflict {
		t.Errorf("another form with the key: %d %s", status, body)
	}
	ts, err := s.Transfers(t.Context(), 0, 9)
	if err != nil || len(ts) != 1 {
		t.Errorf("%v: %d transfers", err, len(ts))
	}
}

func TestPagesShowNothingOutsideOfTheRoots(t *testing.T) {
	t.Parallel()
	s := servePages(t)
	testkit.Must(t, os.Symlink(s.outputs, filepath.Join(s.root, "out")))
	testkit.WriteFile(t, filepath.Join(s.outputs, "secret.txt"), "x")
	for _, path := range []string{s.outputs, s.root + "/../x", filepath.Join(s.root, "out"), filepath.Join(s.root, "out", "secret.txt"), filepath.Dir(s.root), "relative", "/etc/passwd"} {
		for _, look := range []string{"", "look=1&"} {
			status, body := s.page(t, "/new?"+look+"path="+url.QueryEscape(path))
			if status != http.StatusForbidden && status != http.StatusUnprocessableEntity || strings.Contains(body, "secret.txt</a>") || strings.Contains(body, ">out/<") {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		if status, _ := s.send(t, http.MethodPost, "/new", url.Values{"path": {path}}); status != http.StatusForbidden && status != http.StatusUnprocessableEntity {
			t.Errorf("submit %s: %d", path, status)
		}
	}
	if status, body := s.page(t, "/new?path="+url.QueryEscape(s.root)); status != http.StatusOK || strings.Contains(body, "secret.txt") || strings.Contains(body, ">out<") {
		t.Errorf("%d %s", status, body)
	}
}

func TestOutputsOfFinalStepsCanBeDownloaded(t *testing.T) {
	t.Parallel()
	s := servePages(t)
	_, to := s.send(t, http.MethodPost, "/new", url.Values{"path": {s.root}, "recipe": {"sums"}, "name": {"mine"}})
	wait(t, s.Baler, strings.TrimPrefix(to, "/transfers/"))
	written := filepath.Join(s.outputs, "mine.sha256")
	want, err := os.ReadFile(written)
	testkit.Must(t, err)
	_, body := s.page(t, to)
	link := regexp.MustCompile(`/transfers/[^"]+/outputs/[^"]+`).FindString(body)
	if status, got := s.page(t, link); status != http.StatusOK || got != string(want) || len(want) == 0 {
		t.Fatalf("%q of the page gives %d %s\n%s", link, status, got, body)
	}
	testkit.Must(t, os.WriteFile(written, []byte("somebody else's"), 0o600))
	if status, got := s.page(t, link); status != http.StatusNotFound || strings.Contains(got, "somebody") {
		t.Errorf("what nobody's step wrote: %d %s", status, got)
	}
}

// What a recipe with relative paths writes is below the folder for outputs, in one of the
// transfer's own, and the page offers it.
func TestRelativeOutputsAreBelowAFolderOfTheTransfer(t *testing.T) {
	t.Parallel()
	s := servePages(t)
	if status, plan := s.page(t, "/new?look=1&recipe=own&path="+url.QueryEscape(s.root)); status != http.StatusOK || strings.Contains(plan, "cannot be written") {
		t.Errorf("the plan: %d %s", status, plan)
	}
	var links []string
	for range 2 { // neither takes the place of the other's
		_, to := s.send(t, http.MethodPost, "/new", url.Values{"path": {s.root}, "recipe": {"own"}})
		id := strings.TrimPrefix(to, "/transfers/")
		wait(t, s.Baler, id)
		want, err := os.ReadFile(filepath.Join(s.outputs, id, "lists", id+".sha256"))
		testkit.Must(t, err)
		if copies, err := filepath.Glob(filepath.Join(s.outputs, id, "copies", "*")); err != nil || len(copies) == 0 {
			t.Errorf("the copies are %q, %v", copies, err)
		}
		_, body := s.page(t, to)
		link := regexp.MustCompile(`/transfers/[^"]+/outputs/[^"]+`).FindString(body)
		if status, got := s.page(t, link); status != http.StatusOK || got != string(want) || len(want) == 0 {
			t.Errorf("%q of the page gives %d %s\n%s", link, status, got, body)
		}
		links = append(links, link)
	}
	if links[0] == links[1] {
		t.Errorf("both have %s", links[0])
	}
}

// Before a transfer starts, the page says that its recipe writes where nothing can be written.
func TestThePlanSaysWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s, c := pagesConfig(t)
	c.Outputs = nil
	s.Baler = open(t, c, nil)
	s.url, _ = server(t, s.Baler, true)
	status, plan := s.page(t, "/new?look=1&recipe=own&path="+url.QueryEscape(s.root))
	for _, want := range []string{"copies cannot be written by this server (step copy", "lists cannot be written by this server (final step manifest)", "set BALER_OUTPUTS"} {
		if status != http.StatusOK || !strings.Contains(plan, want) {
			t.Errorf("%d, no %q in %s", status, want, plan)
		}
	}
}

// Beside a run nobody is asked for a login, also where a server would ask.
func TestPagesBesideARun(t *testing.T) {
	t.Parallel()
	s, c := pagesConfig(t)
	c.HTTP.AskLogin, c.HTTP.Token = true, "a-token-of-the-server"
	s.Baler = open(t, c, nil)
	var lc net.ListenConfig
	ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	s.url = "http://" + ln.Addr().String()
	testkit.Background(t, func(ctx context.Context) error { return s.ServePages(ctx, ln) })
	if status, body := s.page(t, "/"); status != http.StatusOK || strings.Contains(body, "New transfer") {
		t.Errorf("%d %s", status, body)
	}
	if status, body := s.page(t, "/workers"); status != http.StatusOK || strings.Contains(body, "Log out") {
		t.Errorf("the workers: %d %s", status, body)
	}
	if status, _ := s.send(t, http.MethodPost, "/new", url.Values{"path": {s.root}}); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
		t.Errorf("submit beside a run: %d", status)
	}
	open, err := lc.Listen(t.Context(), "tcp", "0.0.0.0:0")
	testkit.Must(t, err)
	if err := s.ServePages(t.Context(), open); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("where other hosts can connect: %v", err)
	}
}
