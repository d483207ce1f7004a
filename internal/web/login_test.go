package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// steering counts what is done to transfers.
type steering struct {
	api.Control

	mu     sync.Mutex
	paused int
	err    error
}

func (s *steering) Pause(context.Context, tasks.Transfer) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused++
	return true, s.err
}

func (d *desk) login(name, password string, change func(*http.Request)) *httptest.ResponseRecorder {
	form := url.Values{"name": {name}, "password": {password}, "next": {"/audit"}}
	return d.ask(http.MethodPost, "/login", form.Encode(), change)
}

// cookieOf is the session of an answer, as a browser sends it back.
func cookieOf(w *httptest.ResponseRecorder) *http.Cookie {
	for _, c := range w.Result().Cookies() {
		if strings.Contains(c.Name, "session") {
			return c
		}
	}
	return nil
}

func with(c *http.Cookie, header ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		r.Header.Set("Accept", "text/html")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
	}
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func TestAPersonLogsInActsAndLogsOut(t *testing.T) {
	s := new(steering)
	d := newDesk(t, func(o *web.Options) { o.Control = s })
	id := stocked(1).transfers[0].UUID
	page := func(r *http.Request) { r.Header.Set("Accept", "text/html") }
	if w := d.ask(http.MethodGet, "/transfers/"+id+"?x=1", "", page); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login?next=%2Ftransfers%2F"+id+"%3Fx%3D1" {
		t.Fatalf("without a login: %d to %s", w.Code, w.Header().Get("Location"))
	}
	if w := d.ask(http.MethodGet, "/login", "", page); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `<label for="password">`) {
		t.Fatalf("the page to log in: %d %s", w.Code, w.Body)
	}
	w := d.login(" Operator ", deskPassword, nil) // as people type it
	c := cookieOf(w)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/audit" || c == nil {
		t.Fatalf("login: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" || c.Domain != "" {
		t.Errorf("the cookie is %+v", c)
	}
	shown := d.ask(http.MethodGet, "/", "", with(c)).Body.String()
	if !strings.Contains(shown, "Log out") || !strings.Contains(shown, `href="/audit"`) || !strings.Contains(shown, "operator") {
		t.Errorf("the page does not say who has logged in:\n%s", shown)
	}
	token := csrfField.FindStringSubmatch(shown)
	if token == nil {
		t.Fatalf("the form has no token:\n%s", shown)
	}
	pause := "/transfers/" + id + "/pause"
	for name, try := range map[string]*httptest.ResponseRecorder{
		"no token":         d.ask(http.MethodPost, pause, "a=b", with(c)),
		"another's token":  d.ask(http.MethodPost, pause, "csrf=AAAA", with(c)),
		"token in the URL": d.ask(http.MethodPost, pause+"?csrf="+token[1], "a=b", with(c)),
		"another site":     d.ask(http.MethodPost, pause, "csrf="+token[1], with(c, "Sec-Fetch-Site", "cross-site")),
		"another origin":   d.ask(http.MethodPost, pause, "csrf="+token[1], with(c, "Origin", "https://evil.example")),
		"an unsaid origin": d.ask(http.MethodPost, "/v1/transfers/"+id+"/pause", "", with(c)),
		"a sibling":        d.ask(http.MethodPost, "/v1/transfers/"+id+"/pause", "", with(c, "Sec-Fetch-Site", "same-site")),
	} {
		if try.Code != http.StatusForbidden || s.paused != 0 {
			t.Errorf("with %s: %d, paused %d times", name, try.Code, s.paused)
		}
	}
	if w := d.ask(http.MethodPost, pause, "csrf="+token[1], with(c)); w.Code != http.StatusSeeOther || s.paused != 1 {
		t.Errorf("with the form's token: %d %s", w.Code, w.Body)
	}
	if w := d.ask(http.MethodPost, "/v1/transfers/"+id+"/pause", "", with(c, "Sec-Fetch-Site", "same-origin")); w.Code != http.StatusOK || s.paused != 2 {
		t.Errorf("a script of an own page: %d %s", w.Code, w.Body)
	}
	if w := d.ask(http.MethodPost, "/logout", "csrf="+token[1], with(c)); w.Code != http.StatusSeeOther {
		t.Errorf("log out: %d %s", w.Code, w.Body)
	}
	if w := d.ask(http.MethodGet, "/", "", with(c)); w.Code != http.StatusSeeOther {
		t.Errorf("the session of before the logout still works: %d", w.Code)
	}
	part := func(r *http.Request) { r.AddCookie(c); r.Header.Set("Hx-Request", "true") }
	if w := d.ask(http.MethodGet, "/", "", part); w.Code != http.StatusUnauthorized || w.Header().Get("Hx-Refresh") != "true" {
		t.Errorf("a page that is still open: %d %v", w.Code, w.Header())
	}
}

func TestCookiesAreSecureByHTTPS(t *testing.T) {
	d := newDesk(t, func(o *web.Options) { o.URL = "https://baler.example.org" })
	c := cookieOf(d.login("viewer", deskPassword, nil))
	if c == nil || !c.Secure || c.Name != "__Host-baler_session" {
		t.Errorf("%+v", c)
	}
	if w := d.ask(http.MethodGet, "/", "", with(&http.Cookie{Name: "baler_session", Value: c.Value})); w.Code != http.StatusSeeOther {
		t.Errorf("a cookie that a sibling host can set is taken: %d", w.Code)
	}
}

func TestSessionsEnd(t *testing.T) {
	for name, end := range map[string]func(d *desk, c *http.Cookie){
		"idle":           func(d *desk, _ *http.Cookie) { d.clock.Advance(time.Hour) },
		"a new password": func(d *desk, _ *http.Cookie) { testkit.Must(d.t, d.store.SetPassword(d.t.Context(), "viewer", "x")) },
		"removed":        func(d *desk, _ *http.Cookie) { testkit.Must(d.t, d.store.RemoveUser(d.t.Context(), "viewer")) },
		"too old": func(d *desk, c *http.Cookie) {
			for range 13 {
				if w := d.ask(http.MethodGet, "/", "", with(c)); w.Code != http.StatusOK {
					d.t.Fatalf("it ends although it is in use: %d", w.Code)
				}
				d.clock.Advance(40 * time.Minute)
			}
			d.clock.Advance(22 * time.Minute) // ten hours after the login
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil)
			c := cookieOf(d.login("viewer", deskPassword, nil))
			d.clock.Advance(59 * time.Minute)
			if w := d.ask(http.MethodGet, "/", "", with(c)); w.Code != http.StatusOK {
				t.Fatalf("before: %d", w.Code)
			}
			end(d, c)
			if w := d.ask(http.MethodGet, "/", "", with(c)); w.Code != http.StatusSeeOther {
				t.Errorf("after: %d", w.Code)
			}
		})
	}
}

func TestARoleChangesAtOnce(t *testing.T) {
	d := newDesk(t, nil)
	c := cookieOf(d.login("operator", deskPassword, nil))
	if w := d.ask(http.MethodGet, "/audit", "", with(c)); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	testkit.Must(t, d.store.SetRole(t.Context(), "operator", accounts.Viewer))
	if w := d.ask(http.MethodGet, "/audit", "", with(c)); w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "needs the role of an operator") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A wrong name and a wrong password look the same, and are tried only so often.
func TestPasswordsCannotBeGuessed(t *testing.T) {
	d := newDesk(t, nil)
	wrong := d.login("viewer", "not the password", nil)
	for name, w := range map[string]*httptest.ResponseRecorder{
		"unknown": d.login("nobody", deskPassword, nil), "no name": d.login("", deskPassword, nil),
		"no password": d.login("viewer", "", nil), "a long one": d.login("viewer", strings.Repeat("x", 10_000), nil),
		"a prefix": d.login("viewer", deskPassword[:19], nil), "SQL": d.login("' OR 1=1 --", deskPassword, nil), "a NUL": d.login("viewer\x00", deskPassword, nil),
	} {
		same := strings.NewReplacer(`value="nobody"`, `value="viewer"`).Replace(w.Body.String())
		if w.Code != http.StatusUnauthorized || !strings.Contains(same, "The name or the password is wrong.") || cookieOf(w) != nil {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if name == "unknown" && same != wrong.Body.String() {
			t.Errorf("an unknown name is told from a wrong password:\n%s\n%s", same, wrong.Body)
		}
	}
	var limited *httptest.ResponseRecorder
	for range 12 {
		limited = d.login("viewer", "not the password", nil)
	}
	if limited.Code != http.StatusTooManyRequests || limited.Header().Get("Retry-After") == "" {
		t.Errorf("tries without end: %d", limited.Code)
	}
	if w := d.login("viewer", deskPassword, nil); w.Code != http.StatusTooManyRequests {
		t.Errorf("the right password is found meanwhile: %d", w.Code)
	}
	elsewhere := func(r *http.Request) { r.RemoteAddr = "[2001:db8::1]:5" }
	if w := d.login("viewer", deskPassword, elsewhere); w.Code != http.StatusSeeOther {
		t.Errorf("its owner is kept out from elsewhere: %d %s", w.Code, w.Body)
	}
	for i := range 40 { // one network of IPv6 is one client
		limited = d.login("other"+string(rune('a'+i%26)), "not the password", func(r *http.Request) {
			r.RemoteAddr = "[2001:db8:0:7::" + string(rune('a'+i%6)) + "]:5"
		})
	}
	if limited.Code != http.StatusTooManyRequests {
		t.Errorf("many names from one network: %d", limited.Code)
	}
	for _, e := range d.lines() {
		if e.Action == "log in" && (strings.Contains(e.Who+e.Detail+e.Target, "password is") || strings.Contains(e.Who, "OR 1=1")) {
			t.Errorf("the audit log repeats what was typed: %+v", e)
		}
	}
}

func TestTokens(t *testing.T) {
	d := newDesk(t, nil)
	get := func(token string) int { return d.ask(http.MethodGet, "/v1/transfers", "", bearer(token)).Code }
	secret, hash := accounts.NewToken()
	testkit.Must(t, d.store.AddToken(t.Context(), accounts.Token{Name: "brief", Role: accounts.Viewer, Hash: hash, ExpiresAt: d.clock.Now().Add(time.Minute)}))
	for token, want := range map[string]int{
		d.tokens[accounts.Viewer]: 200, "open-sesame": 200, secret: 200, secret + "x": 401, secret[:20]: 401, "baler_": 401, "open-sesam": 401,
	} {
		if got := get(token); got != want {
			t.Errorf("%s: %d, want %d", token, got, want)
		}
	}
	d.clock.Advance(time.Minute)
	if got := get(secret); got != http.StatusUnauthorized {
		t.Errorf("an expired token: %d", got)
	}
	testkit.Must(t, d.store.RevokeToken(t.Context(), "viewer"))
	if got := get(d.tokens[accounts.Viewer]); got != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", got)
	}
	basic := d.ask(http.MethodGet, "/metrics", "", func(r *http.Request) { r.SetBasicAuth("any", d.tokens[accounts.Submitter]) })
	if basic.Code != http.StatusOK {
		t.Errorf("as the password of any user: %d", basic.Code)
	}
	// A wrong token is not made up for by a cookie.
	c := cookieOf(d.login("viewer", deskPassword, nil))
	w := d.ask(http.MethodGet, "/v1/transfers", "", func(r *http.Request) { with(c)(r); bearer("wrong")(r) })
	if w.Code != http.StatusUnauthorized {
		t.Errorf("a wrong token beside a session: %d", w.Code)
	}
}

func TestTheLoginLeadsNowhereElse(t *testing.T) {
	d := newDesk(t, nil)
	for _, next := range []string{"//evil.example", `/\evil.example`, "https://evil.example/", "javascript:alert(1)", "/\t/evil.example", "", "x", "/login?next=/"} {
		form := url.Values{"name": {"viewer"}, "password": {deskPassword}, "next": {next}}
		if w := d.ask(http.MethodPost, "/login", form.Encode(), nil); w.Header().Get("Location") != "/" {
			t.Errorf("%q leads to %q", next, w.Header().Get("Location"))
		}
	}
}

func TestChangesAreInTheAuditLog(t *testing.T) {
	s := new(steering)
	d := newDesk(t, func(o *web.Options) { o.Control = s })
	id := stocked(1).transfers[0].UUID
	do := func(role accounts.Role) {
		d.ask(http.MethodPost, "/v1/transfers/"+id+"/pause", "", bearer(d.tokens[role]))
	}
	do(accounts.Operator)
	do(accounts.Viewer)
	s.err = errors.New("secret")
	do(accounts.Operator)
	d.ask(http.MethodGet, "/v1/transfers", "", bearer(d.tokens[accounts.Operator])) // reading is no change
	d.login("operator", "not the password", nil)
	d.login("operator", deskPassword, nil)
	want := []audit.Entry{
		{Who: "token operator", Action: "pause a transfer", Target: "/v1/transfers/" + id + "/pause", Result: audit.Done},
		{Who: "token viewer", Action: "pause a transfer", Target: "/v1/transfers/" + id + "/pause", Result: audit.Refused},
		{Who: "token operator", Action: "pause a transfer", Target: "/v1/transfers/" + id + "/pause", Result: audit.Failed, Detail: "500 Internal Server Error"},
		{Who: "operator", Action: "log in", Target: "/login", Result: audit.Refused, Detail: "wrong password"},
		{Who: "operator", Action: "log in", Target: "/login", Result: audit.Done},
	}
	lines := d.lines()
	if len(lines) != len(want) {
		t.Fatalf("%+v", lines)
	}
	for i, e := range lines {
		w := want[i]
		w.ID, w.At, w.From = e.ID, e.At, "192.0.2.7"
		if e != w || e.At.IsZero() {
			t.Errorf("line %d is %+v, want %+v", i, e, w)
		}
	}
	c := cookieOf(d.login("operator", deskPassword, nil))
	shown := d.ask(http.MethodGet, "/audit", "", with(c)).Body.String()
	if !strings.Contains(shown, "pause a transfer") || !strings.Contains(shown, "192.0.2.7") || strings.Contains(shown, "secret") {
		t.Errorf("the page:\n%s", shown)
	}
	if w := d.ask(http.MethodGet, "/v1/audit?limit=2", "", bearer("open-sesame")); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"next":`) {
		t.Errorf("the API: %d %s", w.Code, w.Body)
	}
}

// noLog is an audit log that cannot be written.
type noLog struct{ log }

type log interface{ web.AuditStore }

func (noLog) AddAudit(context.Context, audit.Entry) (int64, error) { return 0, errors.New("full") }

func TestNothingChangesWithoutTheAuditLog(t *testing.T) {
	s := new(steering)
	d := newDesk(t, func(o *web.Options) { o.Control, o.Audit = s, noLog{} })
	w := d.ask(http.MethodPost, "/v1/transfers/"+stocked(1).transfers[0].UUID+"/pause", "", bearer(d.tokens[accounts.Operator]))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || s.paused != 0 {
		t.Errorf("%d %s, paused %d times", w.Code, w.Body, s.paused)
	}
}

// Strangers cannot fill the database with failed logins.
func TestRefusalsInTheAuditLogAreLimited(t *testing.T) {
	d := newDesk(t, nil)
	for range 300 {
		d.ask(http.MethodPost, "/logout", "csrf=wrong", bearer("")) // nobody: no line
		d.ask(http.MethodPut, "/v1/queues/x/state", "", bearer(d.tokens[accounts.Viewer]))
		d.ask(http.MethodDelete, "/v1/transfers/"+stocked(1).transfers[0].UUID, "", bearer(d.tokens[accounts.Viewer]))
	}
	if n := len(d.lines()); n > 150 {
		t.Errorf("%d lines", n)
	}
}

func TestAViewerSeesNoButtonsThatDoNotWork(t *testing.T) {
	running := stocked(1)
	running.transfers[0].State = tasks.StateRunning
	d := newDesk(t, func(o *web.Options) { o.Control, o.Transfers = new(steering), running })
	for role, want := range map[accounts.Role][]bool{accounts.Viewer: {false, false}, accounts.Submitter: {false, true}, accounts.Operator: {true, true}} {
		shown := d.ask(http.MethodGet, "/transfers/"+running.transfers[0].UUID, "", bearer(d.tokens[role])).Body.String()
		if pause, retry := strings.Contains(shown, "/pause"), strings.Contains(shown, "/retry"); pause != want[0] || retry != want[1] {
			t.Errorf("%s: pause %v, retry %v", role, pause, retry)
		}
	}
}

// Nobody's secrets are in the log of the server.
func TestSecretsAreNotLogged(t *testing.T) {
	var log strings.Builder
	d := newDesk(t, func(o *web.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	c := cookieOf(d.login("viewer", deskPassword, nil))
	d.login("viewer", "a wrong password", nil)
	d.ask(http.MethodGet, "/", "", with(c))
	d.ask(http.MethodGet, "/v1/transfers", "", bearer(d.tokens[accounts.Viewer]))
	d.ask(http.MethodGet, "/v1/transfers", "", bearer("baler_wrong"))
	for _, secret := range []string{deskPassword, "a wrong password", c.Value, d.tokens[accounts.Viewer], "baler_wrong", url.QueryEscape(deskPassword)} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, log.String())
		}
	}
}
