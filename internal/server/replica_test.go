package server

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Pages read a replica that is of use, and the database itself when it is away, far behind or
// of something else, and after a change; the HTTP API reads the database always.
func TestPagesReadTheReplica(t *testing.T) {
	t.Parallel()
	open := func(url string) *store.Store {
		opened, err := store.Open(t.Context(), url, store.Options{Log: slog.New(slog.DiscardHandler)})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, opened)
		_, err = opened.Migrate(t.Context())
		testkit.Must(t, err)
		return opened
	}
	replicaURL := testkit.MySQL(t)
	primary := open(testkit.MySQL(t))
	copied := open(replicaURL) // this test copies rows in the place of a server
	conn, err := queue.Connect(config.RedisSettings{URL: "embedded"}, nil)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, conn)
	newest, _, err := primary.Create(t.Context(), store.NewTransfer{
		Name: "newest-of-all", Via: tasks.ViaBulk, Queue: "default", Recipe: "name: t\nsteps: [{handler: noop}]",
		Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}},
	})
	testkit.Must(t, err)
	log := slog.New(slog.DiscardHandler)
	backend := New(Options{
		Store: primary, Queue: conn, Control: control.New(control.Options{Store: primary, Queue: conn, Log: log}),
		Registry: &handlers.Registry{}, Metrics: prometheus.NewRegistry(), Log: log, Now: primary.Now,
		Database: config.DatabaseSettings{ReplicaURL: replicaURL},
	})
	server, err := backend.NewServer(t.Context(), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, server.Close()) })
	r := backend.replica
	look := func() {
		lag, err := r.look(t.Context())
		r.note(lag, err)
	}
	wants := func(what, path string, isNew bool, notice string, cookies ...*http.Cookie) {
		t.Helper()
		req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
		for _, c := range cookies {
			req.AddCookie(c)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, req)
		if req.Pattern == "" {
			t.Errorf("%s: the log does not have the route", what)
		}
		body, err := io.ReadAll(w.Body)
		testkit.Must(t, err)
		said, err := url.PathUnescape(w.Header().Get("Baler-Notice"))
		testkit.Must(t, err)
		if w.Code != http.StatusOK || strings.Contains(string(body), newest.Name) != isNew || said != notice || !strings.Contains(string(body), notice) {
			t.Errorf("%s: %d, the notice is %q, the body is\n%s", what, w.Code, said, body)
		}
	}
	const away = "The replica of the database is away: pages read the database itself."
	look()
	wants("a database that does not replicate this one", "/", true, away)
	maker := r.maker
	mark := func(age time.Duration) {
		t.Helper()
		testkit.Must(t, copied.DB().Session(t.Context()).Exec("REPLACE INTO leases (name, holder, until) VALUES ('replication mark', ?, ?)",
			maker, primary.Now().Add(-age)).Error)
		look()
	}
	maker = "of another database"
	mark(0)
	wants("a replica of another database of Baler", "/", true, away)
	maker = r.maker
	mark(0)
	wants("a replica", "/", false, "")
	wants("a transfer that the replica does not have yet", "/transfers/"+newest.UUID, true, "")
	wants("the API", "/v1/transfers", true, "")
	wants("a person who has changed something", "/", true, "", &http.Cookie{Name: "baler_changed", Value: "1"})
	mark(12 * time.Second)
	wants("a replica that is behind", "/", false, "This page is up to 12s behind: it reads a replica of the database.")
	mark(2 * time.Minute)
	wants("a replica that is far behind", "/", true, "The replica of the database is 2m0s behind: pages read the database itself.")
	mark(0)
	wants("it has caught up", "/", false, "")
	testkit.Must(t, r.copy.Close())
	look()
	wants("it is away", "/", true, away)
	r.copy, r.url = nil, "mysql://baler:baler@127.0.0.1:1/none"
	look()
	wants("it has never been there", "/", true, away)

	r.copy, r.url = nil, replicaURL
	mark(0)
	ctx, _, _ := r.Read(t.Context())
	if !db.Replicated(ctx) {
		t.Fatal("it is not read again")
	}
	_, err = primary.Cancel(ctx, newest.ID) // whatever ctx says, writes go to the database
	testkit.Must(t, err)
	if now, err := primary.TransferByID(t.Context(), newest.ID); err != nil || now.State != tasks.StateCanceled {
		t.Errorf("the transfer is %s, %v", now.State, err)
	}
	testkit.Must(t, r.copy.Close())
}
