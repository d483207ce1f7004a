package cli

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/internal/testkit"
)

// onlyReading lists the commands that change nothing that belongs to others.
var onlyReading = []string{
	"status", "results", "export", "failures", "diff", "queue", "queue list", "workers", "workers list", "deadletters", "deadletters list", "deadletters show",
	"doctor", "user", "user list", "token", "token list", "audit", "reuse", "schedule", "schedule list", "version", "help",
	"notify", "notify test", "serve", "worker", // they do what others have asked for
	"watch",   // it has a line for each transfer
	"migrate", // there may be no audit log before
	"recipe", "recipe list", "recipe show", "recipe validate", "recipe explain", "bag", "bag verify",
	"bench", "handlers", "man",
}

// Whoever adds a command says whether the audit log must have it.
func TestEveryCommandThatChangesSomethingIsAudited(t *testing.T) {
	t.Parallel()
	p := newProgram(nil)
	known := changing()
	used := make(map[string]bool)
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		_, name, ok := strings.Cut(cmd.CommandPath(), " ")
		if !ok || !cmd.Runnable() || strings.HasPrefix(name, "bench ") || strings.HasPrefix(name, "completion") {
			return
		}
		used[name] = true
		if (known[name] != "") == slices.Contains(onlyReading, name) {
			t.Errorf("'baler %s' is in one of the lists changing and onlyReading, not in both or neither", name)
		}
	}
	walk(p.rootCommand())
	for name := range known {
		if !used[name] {
			t.Errorf("there is no command %q", name)
		}
	}
}

func TestUsersTokensAndTheirAuditLog(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	with := func(password string, code int, args ...string) ran {
		t.Helper()
		s.from = strings.NewReader(password)
		return s.must(code, args...)
	}
	contains(t, "none", s.must(exitOK, "user").stdout, "There are no users. 'baler user add NAME --role operator' adds one.")
	equal(t, "add", with("correct horse battery\r\n", exitOK, "user", "add", "ada", "--role", "operator").stdout, "User ada can log in as operator.\n")
	contains(t, "twice", with("correct horse battery\n", exitError, "user", "add", "ada").stderr, "add user ada: the name is taken")
	contains(t, "short", with("horse", exitError, "user", "passwd", "ada").stderr, "the password is too short; use 10 characters or more")
	contains(t, "long", with(strings.Repeat("horse ", 1000), exitError, "user", "passwd", "ada").stderr, "the password is too long")
	contains(t, "no name", with("correct horse battery", exitUsage, "user", "add", "Ada Lovelace").stderr, "a name has only small letters")
	contains(t, "no role", with("correct horse battery", exitUsage, "user", "add", "bob", "--role", "root").stderr, `"root" is not a role; give viewer, submitter or operator`)
	with("battery horse correct", exitOK, "user", "passwd", "ada")
	equal(t, "role", s.must(exitOK, "user", "role", "ada", "viewer").stdout, "User ada is viewer now.\n")
	contains(t, "nobody", s.must(exitError, "user", "role", "bob", "viewer").stderr, "no such user: bob")
	contains(t, "list", s.must(exitOK, "user", "list").stdout, "ada   viewer", "never")
	made := s.must(exitOK, "token", "create", "nightly", "--role", "submitter", "--expires", "30d")
	secret := strings.TrimSpace(made.stdout)
	if !strings.HasPrefix(secret, "baler_") || len(secret) != 49 {
		t.Errorf("the token is %q", secret)
	}
	contains(t, "said", made.stderr, "it cannot be shown again")
	contains(t, "expired before it began", s.must(exitUsage, "token", "create", "x", "--expires", "0d").stderr, "0d is not above 0")
	contains(t, "tokens", s.must(exitOK, "token").stdout, "nightly  submitter")
	s.must(exitOK, "token", "revoke", "nightly")
	contains(t, "revoked twice", s.must(exitError, "token", "revoke", "nightly").stderr, "no such token: nightly")
	equal(t, "removed", s.must(exitOK, "user", "remove", "ada").stdout, "User ada is removed.\n")

	s.file("in/a.txt", "alpha")
	s.must(exitOK, "run", "--recipe", "checksum", s.path("in"))
	s.must(exitOK, "run", "--dry-run", s.path("in"))
	s.must(exitOK, "limit")
	s.must(exitOK, "limit", "--in-flight", "3")
	s.must(exitError, "pause", "77")
	log := s.must(exitOK, "audit", "--json").stdout
	for _, part := range []string{
		`"from":"command line","action":"add a user","target":"ada --role operator","result":"done"}`,
		`"action":"add a user","target":"ada","result":"failed","detail":"add user ada: the name is taken"}`,
		`"action":"create a token","target":"nightly --expires 720h0m0s --role submitter","result":"done"}`,
		`"action":"run","target":"` + s.path("in") + ` --recipe checksum","result":"done"}`,
		`"action":"set a limit","target":"--in-flight 3","result":"done"}`, `"action":"pause a transfer","target":"77","result":"failed"`,
		`"action":"remove a user","target":"ada","result":"done"}`,
	} {
		if strings.Count(log, part) != 1 {
			t.Errorf("%d times %s in\n%s", strings.Count(log, part), part, log)
		}
	}
	host, err := os.Hostname()
	testkit.Must(t, err)
	contains(t, "who", log, "@"+host+`"`)
	contains(t, "in a file", s.must(exitOK, "audit").stdout, "@"+host+"  command line  ", "nightly --expires 720h0m0s --role submitter\n")
	for _, wrong := range []string{"horse", secret, "dry-run"} {
		if strings.Contains(log, wrong) {
			t.Errorf("the audit log has %q", wrong)
		}
	}
	equal(t, "newest", strconv.Itoa(strings.Count(s.must(exitOK, "audit", "--json", "--limit", "2").stdout, "\n")), "2")
}

// With accounts, other hosts may connect, and must log in; this host need not.
func TestServeWithAccounts(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	secret := strings.TrimSpace(s.must(exitOK, "token", "create", "program").stdout)
	contains(t, "nobody asks here", s.must(exitOK, "user").stdout, "no users")
	for _, c := range []struct {
		args   []string
		status map[string]int // by token
	}{
		{[]string{"serve", "--listen", "0.0.0.0:0"}, map[string]int{"": 401, "baler_x": 401, secret: 200}},
		{[]string{"serve", "--listen", "127.0.0.1:0"}, map[string]int{"": 200}},
	} {
		stdout, _, stop := s.start(c.args...)
		testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "\n") })
		for token, want := range c.status {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSpace(stdout.String())+"/v1/transfers", nil)
			testkit.Must(t, err)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			transport := &http.Transport{}
			answer, err := transport.RoundTrip(r)
			testkit.Must(t, err)
			testkit.Must(t, answer.Body.Close())
			transport.CloseIdleConnections()
			if answer.StatusCode != want {
				t.Errorf("%v with %q: %s, want %d", c.args, token, answer.Status, want)
			}
		}
		stop()
	}
	s.env = append(s.env, "BALER_HTTP_ASK_LOGIN=true")
	s.must(exitOK, "token", "revoke", "program")
	contains(t, "nobody could", s.must(exitError, "serve", "--listen", "127.0.0.1:0").stderr, "http.ask_login is set, and there are no accounts: add a user")
}

// A server that anybody may read asks for a login from the first account on, without a
// restart, and does so when the account is gone.
func TestServeNoticesTheFirstAccount(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	stdout, _, stop := s.start("serve", "--listen", "0.0.0.0:0", "--insecure")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "\n") })
	ask := func(method, path, token string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, strings.TrimSpace(stdout.String())+path, nil)
		testkit.Must(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		transport := &http.Transport{}
		answer, err := transport.RoundTrip(r)
		testkit.Must(t, err)
		testkit.Must(t, answer.Body.Close())
		transport.CloseIdleConnections()
		return answer.Status
	}
	equal(t, "everybody reads", ask(http.MethodGet, "/v1/transfers", ""), "200 OK")
	equal(t, "nobody changes", ask(http.MethodPost, "/v1/schedules", ""), "403 Forbidden")
	secret := strings.TrimSpace(s.must(exitOK, "token", "create", "program", "--role", "operator").stdout)
	testkit.Eventually(t, time.Minute, func() error {
		if got := ask(http.MethodGet, "/v1/transfers", ""); got != "401 Unauthorized" {
			return fmt.Errorf("%s without a token", got)
		}
		return nil
	})
	equal(t, "with a token", ask(http.MethodGet, "/v1/transfers", secret), "200 OK")
	equal(t, "a change with a token", ask(http.MethodPost, "/v1/schedules/x/run", secret), "404 Not Found")
	equal(t, "the audit log", ask(http.MethodGet, "/v1/audit", secret), "200 OK")
	s.must(exitOK, "token", "revoke", "program")
	equal(t, "with a revoked token", ask(http.MethodGet, "/v1/transfers", secret), "401 Unauthorized")
	equal(t, "without accounts", ask(http.MethodGet, "/v1/transfers", ""), "401 Unauthorized")
	stop()
}
