package cli

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// served starts a server with a worker, and returns its URL.
func (s *testEnv) served(args ...string) (url string) {
	s.t.Helper()
	stdout, stderr, stop := s.start(append([]string{"serve", "--worker", "--listen", "127.0.0.1:0"}, args...)...)
	s.t.Cleanup(func() { stop() })
	testkit.Eventually(s.t, time.Minute, func() error {
		if err := lacks(stdout.String(), "\n"); err != nil {
			return fmt.Errorf("%w\n%s", err, stderr.String())
		}
		return nil
	})
	return strings.TrimSpace(stdout.String())
}

// Commands print the same directly and through a server, byte for byte.
func TestTheSameThroughAServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	for i := range 3 {
		s.file(fmt.Sprintf("in/%d.txt", i), strings.Repeat("x", i))
	}
	s.file("in/name\xff<&>\u2028.txt", "odd")
	testkit.Must(t, os.Symlink("0.txt", s.path("in/link")))
	url := s.served()
	s.must(exitFailures, "submit", "--wait", "--name", "nightly", "--missing-ok", "--recipe", "checksum", "--stop-after", "5%", s.path("in"), s.path("gone\xfe"))
	s.must(exitOK, "submit", "--wait", "--name", "twice", "--weight", "3", "--include", "*.txt", s.path("in"))
	s.must(exitOK, "submit", "--wait", "--name", "twice", s.path("in"))
	s.must(exitOK, "limit", "--queue", "low", "--in-flight", "2", "--files-per-second", "1.5")
	s.must(exitOK, "schedule", "add", "daily", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--server", url, s.path("in"))
	s.must(exitOK, "schedule", "add", "other", "--cron", "@weekly", "--overlap", "queue", "--queue", "low", s.path("in"))
	ages := map[string]int{"workers list": 3, "status": 1, "status --limit 1": 1} // the last words of their lines
	for _, command := range []string{
		"schedule", "schedule list --json", "schedule pause daily", "schedule list", "schedule resume daily --json", "schedule run none", "schedule remove none",
		"schedule pause none", "schedule add daily --cron @daily " + s.path("in"), "schedule add x --cron @dayly " + s.path("in"),
		"schedule add x --cron @daily --recipe nope " + s.path("in"),
		"status", "status --json", "status --limit 1", "status nightly", "status nightly --json", "status latest", "status twice", "status none",
		"status 999", "status 01", "status --watch nightly", "status --watch latest --json",
		"results nightly", "results nightly --json", "results nightly --format csv", "results nightly --outcome failed,error",
		"results nightly --step nope", "results nightly --file 2", "results nightly --file 99", "results nightly --parent 1",
		"results latest --columns path,sha256", "results nightly --code not-found --json",
		"failures nightly", "failures nightly --json", "failures latest", "failures nightly --limit 1",
		"workers list", "limit", "limit --json", "limit --queue low", "limit --transfer none", "limit --transfer latest --in-flight 1",
		"queue list", "queue list --json", "queue pause none", "queue resume default", "workers drain none",
		"pause nightly", "resume nightly", "cancel nightly", "cancel none", "retry latest", "retry nightly --step nope",
		"retry latest --finalizers", "recipe list", "recipe list --json", "recipe show default", "recipe show default --json",
	} {
		t.Run(command, func(t *testing.T) {
			args := strings.Fields(command)
			direct, through := s.do(args...), s.do(append(args, "--server", url)...)
			if words := ages[command]; words > 0 { // they go on between the two
				direct.stdout, through.stdout = lastWordsCut(direct.stdout, words), lastWordsCut(through.stdout, words)
			}
			if direct.code != through.code {
				t.Errorf("exit codes %d directly, %d through a server\n%s%s", direct.code, through.code, direct.stderr, through.stderr)
			}
			equal(t, "standard output", through.stdout, direct.stdout)
			equal(t, "standard error", through.stderr, direct.stderr)
		})
	}
}

func lastWordsCut(table string, n int) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		b.WriteString(strings.Join(words[:max(len(words)-n, 0)], " ") + "\n")
	}
	return b.String()
}

// What a command changes through a server is changed.
func TestSteeringThroughAServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	s.env = append(s.env, "BALER_SERVER="+s.served())
	own := s.file("own.yaml", "name: own\nsteps:\n  - handler: checksum\nfinalizers: []\n")
	if strings.Contains(s.do("recipe", "validate", own).stdout, "valid") {
		t.Error("recipe validate does not say that it works directly only")
	}
	r := s.must(exitFailures, "submit", "--wait", "--json", "--missing-ok", s.path("in"), s.path("gone"))
	if sum := r.summary(t); sum.Files != 2 || sum.Finished != 2 {
		t.Errorf("%+v", sum)
	}
	contains(t, "a missing path", s.must(exitError, "submit", s.path("gone")).stderr, "no such file or directory")
	contains(t, "a relative path", s.must(exitUsage, "submit", "in").stderr, "is not absolute: the paths are those of the server")
	contains(t, "a relative path", s.must(exitUsage, "schedule", "add", "x", "--cron", "@daily", "in").stderr, "is not absolute: the paths are those of the server")
	contains(t, "a path outside of the roots", s.must(exitError, "schedule", "add", "x", "--cron", "@daily", "/etc").stderr, "outside of the folders that the server may read")
	contains(t, "a path outside of the roots", s.must(exitError, "submit", "/etc").stderr, "outside of the folders that the server may read")
	contains(t, "dry run", s.must(exitUsage, "submit", "--dry-run", s.path("in")).stderr, "--dry-run does not work through a server")
	contains(t, "resume", s.must(exitUsage, "submit", "--resume", "latest").stderr, "--resume does not work through a server")
	first := s.must(exitOK, "submit", "--key", "k", s.path("in"))
	again := s.must(exitOK, "submit", "--key", "k", s.path("in"))
	equal(t, "the same key", again.stdout, first.stdout)
	contains(t, "the same key", again.stderr, "was submitted with this key before; nothing was added.")
	contains(t, "another request", s.must(exitError, "submit", "--key", "k", "--recipe", "noop", s.path("in")).stderr, `not "noop"`)
	contains(t, "limit", s.must(exitOK, "limit", "--in-flight", "2").stdout, "Limit on everything: in flight 2, files per second none, on one host none.")
	contains(t, "limit", s.must(exitOK, "limit", "--in-flight", "none").stdout, "No limit on everything.")
	contains(t, "pause", s.must(exitOK, "queue", "pause", "default").stdout, "Queue default is paused.")
	id := strings.TrimSpace(s.must(exitOK, "submit", "--recipe", "checksum", s.path("in")).stdout)
	contains(t, "pause", s.must(exitOK, "pause", id).stdout, " is paused.")
	contains(t, "pause", s.must(exitError, "pause", id).stderr, " is already paused, since ")
	contains(t, "resume", s.must(exitOK, "resume", id).stdout, " resumed: ")
	other := strings.TrimSpace(s.must(exitOK, "submit", "--recipe", "checksum", s.path("in")).stdout)
	contains(t, "cancel a file", s.must(exitOK, "cancel", other, "--file", "1").stdout, "Canceling 1 file of transfer ")
	contains(t, "cancel it again", s.must(exitOK, "cancel", other, "--file", "1").stdout, "no such file is unfinished, or it is canceled already")
	contains(t, "cancel no file", s.must(exitUsage, "cancel", other, "--file", "0").stderr, "files are numbered from 1")
	contains(t, "cancel at no step", s.must(exitError, "cancel", other, "--step", "nope").stderr, `has no step "nope"; it has checksum`)
	s.must(exitOK, "queue", "resume", "default")
	contains(t, "the others end", s.must(exitFailures, "status", "--watch", other).stdout, "1 file")
	contains(t, "it ends as canceled", s.must(exitOK, "results", other, "--outcome", "canceled").stdout, "the file was canceled before this step ran it")
	equal(t, "it has ended", s.must(exitOK, "cancel", other, "--file", "1", "--json").stdout,
		`{"type":"cancel","transfer":"`+other+`","files":0}`+"\n")
	s.must(exitOK, "status", "--watch", id)
	contains(t, "retry", s.must(exitOK, "retry", id, "--outcome", "succeeded", "--wait").stdout, "Retrying 1 file of transfer ")
	for _, command := range []string{"run .", "load x --into t", "worker", "serve", "delete " + id, "diff " + id, "prune --older-than 90d", "reconcile", "migrate", "doctor",
		"deadletters list", "results " + id + " --rejected"} {
		contains(t, command, s.must(exitUsage, strings.Fields(command)...).stderr, "does not work through a server", "unset BALER_SERVER")
	}
	s.must(exitOK, "migrate", "--database", s.setting("BALER_DATABASE_URL")) // a flag takes precedence
	contains(t, "both", s.must(exitUsage, "status", "--server", "http://h", "--redis", "embedded").stderr, "give --server or --redis, not both")
}

// cutting is a proxy that breaks some connections after the server has answered.
func cutting(t *testing.T, to string, cut func(*http.Request) bool) *httptest.Server {
	t.Helper()
	target, err := url.Parse(to)
	testkit.Must(t, err)
	behind := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(*http.Response) error { return nil },
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !cut(r) {
			behind.ServeHTTP(w, r)
			return
		}
		behind.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(s.Close)
	return s
}

// Through a server, too, a key stands for one list, and that list goes on where its client
// was broken off, also behind names that the server has skipped.
func TestKeyOfAListThroughAServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	a, b, c := s.file("in/a", "a"), s.file("in/b", "b"), s.file("in/c", "c")
	testkit.Must(t, os.Symlink("a", s.path("in/link")))
	link := s.path("in/link")
	server := s.served()
	s.env = append(s.env, "BALER_SERVER="+server)
	submit := func(code int, paths ...string) ran {
		s.from = strings.NewReader(strings.Join(paths, "\n") + "\n")
		return s.must(code, "submit", "-", "--key", "k", "--recipe", "checksum")
	}
	broken := submit(exitError, link, a, b, "in/no")
	contains(t, "broken off", broken.stderr, "has 2 files registered", `submit the same list again with --key "k"`)
	contains(t, "without b", submit(exitError, link, a, c).stderr, fmt.Sprintf("has %q, which is not in the list at its place", b))
	contains(t, "in another order", submit(exitError, link, b, a, c).stderr, "which is not in the list at its place")
	if sum := s.must(exitOK, "status", "latest", "--json").summary(t); sum.Files != 2 || sum.State != tasks.StateOpen {
		t.Errorf("after other lists %+v", sum)
	}
	submit(exitOK, link, a, b, c, link)
	if sum := s.must(exitOK, "status", "latest", "--json").summary(t); sum.Files != 3 || sum.State == tasks.StateOpen {
		t.Errorf("in the end %+v", sum)
	}
	contains(t, "again", submit(exitOK, link, a, b, c, link).stderr, "was submitted with this key before; nothing was added.")
	contains(t, "shorter", submit(exitError, link, a, b, c).stderr, "the key was used before, for another request", "has a list of 5 paths, not of 4")
	contains(t, "other", submit(exitError, link, a, b, c, a).stderr, "has other paths in its list of 5")
}

// A list continues where it was when the connection breaks, with nothing lost and nothing
// twice, also when the server has skipped a name.
func TestListThroughAServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	var list strings.Builder
	for i := range 25 {
		list.WriteString(s.file(fmt.Sprintf("in/%02d.txt", i), "x") + "\x00")
	}
	testkit.Must(t, os.Symlink("01.txt", s.path("in/link")))
	list.WriteString(s.path("in/link") + "\x00" + s.path("in/gone\xff") + "\x00" + s.path("in/00.txt") + "\x00")
	var requests atomic.Int64
	proxy := cutting(t, s.served(), func(r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, "/files") && r.URL.RawQuery != "" && r.Method == http.MethodPost && requests.Add(1) == 1
	})
	s.env = append(s.env, "BALER_SERVER="+proxy.URL)
	s.from = strings.NewReader(list.String())
	r := s.must(exitFailures, "submit", "-", "--null", "--wait", "--json", "--recipe", "checksum")
	if sum := r.summary(t); sum.Files != 27 || sum.Results.Succeeded != 26 || sum.Results.Failures() != 1 {
		t.Errorf("%+v\n%s", sum, r.stderr)
	}
	contains(t, "stderr", r.said(), "does not answer", "trying again")
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests with files, although the first had arrived", n)
	}
	paths := strings.Fields(s.must(exitOK, "results", "latest", "--outcome", "succeeded", "--format", "csv", "--columns", "path").stdout)[1:]
	slices.Sort(paths)
	if len(paths) != 26 || filepath.Base(paths[0]) != "00.txt" || paths[0] != paths[1] {
		t.Errorf("files %q", paths)
	}
	for text, want := range map[string]string{
		s.path("in") + "\n": "is a folder: name the files in it",
		"in/00.txt\n":       "path 1, in/00.txt, is not absolute",
		"/etc/passwd\n":     "outside of the folders that the server may read",
	} {
		s.from = strings.NewReader(text)
		contains(t, text, s.must(exitError, "submit", "-").stderr, want, "has 0 files registered")
	}
}

func TestServersThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "/elsewhere", http.StatusPermanentRedirect)
		case strings.HasPrefix(r.URL.Path, "/page"):
			_, _ = w.Write([]byte("<html>hello</html>"))
		default:
			http.NotFound(w, r)
		}
	}))
	defer other.Close()
	secret := httptest.NewTLSServer(http.NotFoundHandler())
	defer secret.Close()
	for _, c := range []struct {
		server string
		code   int
		want   string
	}{
		{"nonsense", exitUsage, `--server: the address of a server is a URL such as https://baler.example.org`},
		{"http://user:secret@h", exitUsage, "has no user, query or fragment"},
		{"http://127.0.0.1:1", exitError, "error: http://127.0.0.1:1 does not answer: dial tcp 127.0.0.1:1: connect"},
		{other.URL, exitError, "answers 404 (Not Found): is it the address of a Baler server?"},
		{other.URL + "/moved", exitError, "redirects requests (308): give the address that it leads to as --server"},
		{other.URL + "/page", exitError, "is it the address of a Baler server?"},
		{secret.URL, exitError, "cannot be trusted"},
		{strings.Replace(other.URL, "http:", "https:", 1), exitError, "does not speak TLS: write it with http://"},
		{strings.Replace(secret.URL, "https:", "http:", 1), exitError, "answers 400 (Bad Request): is it the address of a Baler server?"},
	} {
		r := s.must(c.code, "status", "--server", c.server)
		contains(t, c.server, r.stderr, c.want)
		if strings.Contains(r.stderr, "secret@") {
			t.Errorf("it shows the password: %s", r.stderr)
		}
	}
	contains(t, "own CA", s.must(exitError, "status", "--server", secret.URL, "--server-ca", s.file("ca.pem", "none")).stderr, "has no certificate in PEM")
	ca := s.file("ca.pem", pemOf(secret))
	contains(t, "own CA", s.must(exitError, "status", "--server", secret.URL, "--server-ca", ca).stderr, "answers 404")
}

func TestTokensForAServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_HTTP_TOKEN=open-sesame", "BALER_ROOTS="+s.dir)
	url := s.served()
	s.env = append(s.env, "BALER_HTTP_TOKEN=", "BALER_SERVER="+url)
	contains(t, "no token", s.must(exitError, "status").stderr, "needs a token: set BALER_TOKEN, or give --token-file")
	contains(t, "wrong token", s.must(exitError, "status", "--token", "wrong").stderr, "refuses the token")
	s.must(exitOK, "status", "--token", "open-sesame")
	s.must(exitOK, "status", "--token-file", s.file("token", "open-sesame\n"))
	contains(t, "no file", s.must(exitError, "status", "--token-file", s.path("none")).stderr, "read token_file")
	s.env = append(s.env, "BALER_TOKEN=wrong")
	s.must(exitOK, "status", "--token-file", s.path("token"))
}

// A watch waits for a server that dies and comes back.
func TestWatchOutlivesItsServer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	var down atomic.Bool
	proxy := cutting(t, s.served(), func(*http.Request) bool { return down.Load() })
	server := "--server=" + proxy.URL
	s.must(exitOK, "submit", "--wait", s.path("in")) // makes the queue
	s.must(exitOK, "queue", "pause", "default")
	id := strings.TrimSpace(s.must(exitOK, "submit", "--recipe", "checksum", s.path("in"), server).stdout)
	stdout, stderr, stop := s.start("status", "--watch", id, server)
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "0 / 1 file") })
	down.Store(true)
	proxy.CloseClientConnections()
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "trying again") })
	s.must(exitOK, "queue", "resume", "default")
	s.must(exitOK, "status", "--watch", id)
	down.Store(false)
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "completed: 1 / 1 file") })
	if r := stop(); r.code != exitOK {
		t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func pemOf(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}
