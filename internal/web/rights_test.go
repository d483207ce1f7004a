package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/openid"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
)

// desk is a server with accounts: one user and one token for each role, named for it.
type desk struct {
	*web.Server

	t      *testing.T
	store  *store.Store
	clock  *testkit.Clock
	tokens map[accounts.Role]string
}

const deskPassword = "correct horse battery"

// deskHash takes its time once.
var deskHash = sync.OnceValue(func() string {
	hash, err := accounts.NewHasher().Hash(context.Background(), deskPassword)
	if err != nil {
		panic(err)
	}
	return hash
})

func newDesk(t *testing.T, change func(*web.Options)) *desk {
	t.Helper()
	d := &desk{t: t, clock: testkit.NewClock(), tokens: make(map[accounts.Role]string)}
	var err error
	d.store, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "baler.db"), store.Options{Now: d.clock.Now})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d.store)
	_, err = d.store.Migrate(t.Context())
	testkit.Must(t, err)
	hash := deskHash()
	for _, role := range accounts.Roles() {
		testkit.Must(t, d.store.AddUser(t.Context(), accounts.User{Name: string(role), Role: role, PasswordHash: hash}))
		secret, tokenHash := accounts.NewToken()
		testkit.Must(t, d.store.AddToken(t.Context(), accounts.Token{Name: string(role), Role: role, Hash: tokenHash}))
		d.tokens[role] = secret
	}
	o := web.Options{
		Transfers: stocked(3), Audit: d.store, LoginPage: true, Now: d.clock.Now,
		Gate: accounts.NewGate(accounts.GateOptions{
			Store: d.store, Static: "open-sesame", Idle: time.Hour, Life: 10 * time.Hour, Now: d.clock.Now, Log: slog.New(slog.DiscardHandler),
		}),
	}
	if change != nil {
		change(&o)
	}
	d.Server, err = web.New(o)
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, d.Close()) })
	return d
}

// ask sends one request, without a network.
func (d *desk) ask(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:8080", "192.0.2.7:4711"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) {
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
}

// lines is the audit log, oldest first.
func (d *desk) lines() []audit.Entry {
	d.t.Helper()
	all, err := d.store.AuditLog(d.t.Context(), 0, 10_000)
	testkit.Must(d.t, err)
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// everything offers what a server can; most of it panics when it is used.
type everything struct {
	api.Submitter
	reader
	api.Control
	api.Fleet
	api.Scheduler
}

type (
	reader  interface{ api.Results }
	history interface{ web.History }
	files   interface{ web.Files }
	formats interface{ web.FormatReader }
	outputs interface{ web.OutputFiles }
	differ  interface{ web.TransferComparer }
	system  interface{ web.System }
	starter interface{ web.Starter }
	letters interface{ web.Letters }
	thumbs  interface{ web.Thumbnails }
)

type noProvider struct{}

func (noProvider) Name() string { return "login.example" }
func (noProvider) Begin(context.Context) (openid.Flow, string, error) {
	return openid.Flow{}, "https://login.example/", nil
}

func (noProvider) End(context.Context, openid.Flow, string, string) (string, accounts.Role, error) {
	return "", "", openid.ErrNoRole
}

// Every route is in the table of rights, and lets through only whom the table names.
func TestEveryRouteAsksForItsRole(t *testing.T) {
	opt, err := asynq.ParseRedisURI(testkit.Redis(t))
	testkit.Must(t, err)
	d := newDesk(t, func(o *web.Options) {
		all := everything{}
		o.Submitter, o.Results, o.Control, o.Fleet, o.Redis, o.WritableMonitor = all, all, all, all, opt, true
		o.Scheduler = all
		o.History, o.Files, o.Formats, o.Outputs = struct{ history }{}, struct{ files }{}, struct{ formats }{}, struct{ outputs }{}
		o.System, o.Starter, o.Letters, o.Fixity = struct{ system }{}, struct{ starter }{}, struct{ letters }{}, struct{ differ }{}
		o.OpenID, o.Thumbnails = noProvider{}, struct{ thumbs }{}
	})
	roles, told := web.Roles(), web.Told()
	patterns := d.Patterns()
	if len(patterns) < 30 {
		t.Fatalf("the routes cannot be listed: %q", patterns)
	}
	used := make(map[string]bool)
	for _, pattern := range patterns {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok { // for any method
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				d.tryRoute(roles, told, used, method, pattern, pattern)
			}
			continue
		}
		d.tryRoute(roles, told, used, method, path, pattern)
	}
	for pattern := range roles {
		if !used[pattern] {
			t.Errorf("the table of rights names %s, which is no route", pattern)
		}
	}
}

func (d *desk) tryRoute(roles, told map[string]string, used map[string]bool, method, path, pattern string) {
	d.t.Helper()
	_, inner, _ := strings.Cut(pattern, " ")
	key := ""
	for _, k := range []string{method + " " + inner, method + " " + pattern, pattern} {
		if _, ok := roles[k]; ok && key == "" {
			key = k
		}
	}
	if strings.HasPrefix(path, "/assets/") {
		key = "GET /assets/"
	}
	needed, ok := roles[key]
	if !ok {
		d.t.Errorf("%s %s is not in the table of rights", method, pattern)
		return
	}
	used[key] = true
	changes := method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
	if said := told[key] != ""; said != changes && needed != "" && key != "/v1/" {
		d.t.Errorf("%s has words for the audit log: %v; it may change something: %v", key, said, changes)
	}
	path = strings.NewReplacer("{id}", stocked(1).transfers[0].UUID, "{name}", "x", "{no}", "1", "{$}", "").Replace(path)
	for _, role := range append([]accounts.Role{accounts.Nobody}, accounts.Roles()...) {
		w := d.ask(method, path, "", bearer(d.tokens[role]))
		refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden
		want := !role.Allows(accounts.Role(needed))
		if path == "/login" && method == http.MethodPost || strings.HasSuffix(path, "/callback") {
			want = refused // by itself
		}
		if refused != want {
			d.t.Errorf("%s %s as %q answers %d %.200s", method, path, role, w.Code, w.Body)
		}
		if refused && role == accounts.Nobody && needed != "" && w.Code != http.StatusUnauthorized {
			d.t.Errorf("%s %s without a login answers %d", method, path, w.Code)
		}
	}
}
