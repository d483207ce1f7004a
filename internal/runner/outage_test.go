package runner

import (
	"context"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
)

// While the database is unavailable results are held; when it is back they are
// committed, and nobody has been charged for it.
func TestRecorderWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	url := testkit.MySQL(t)
	proxy := testkit.Proxy(t, url)
	r := newEnv(t, proxy.URL(), "name: t\nsteps: [{handler: any, retry: {attempts: 2}}, {handler: any, name: again}]")
	away := make(chan struct{})
	r.handle("any", func(_ context.Context, jobs []*handlers.Job) error {
		if jobs[0].Step() == 1 {
			proxy.Down()
			close(away)
		}
		return nil
	})
	batches := r.Files(20)
	answer := make(chan error, 1)
	w := r.worker("w")
	go func() { answer <- r.deliver(w, &batches[0]) }()
	<-away
	// Several tries fail before it is back.
	time.AfterFunc(time.Second, proxy.Up)
	r.Must(<-answer)
	r.finish(w)
	r.audit()
	if got := r.tries(); len(got) > 0 {
		t.Errorf("charged %q", got)
	}
	for no, res := range r.Results(1) {
		if res.Attempt != 1 {
			t.Errorf("file %d has attempt %d", no, res.Attempt)
		}
	}
}

// A worker that stops while the database does not answer returns its batch to the queue,
// and another worker runs it.
func TestStopWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	r := newEnv(t, proxy.URL(), "name: t\nsteps: [{handler: any, retry: {attempts: 2}}]")
	first := r.worker("first")
	r.handle("any", func(_ context.Context, jobs []*handlers.Job) error {
		if jobs[0].Result().Worker == "first" {
			proxy.Down()
			first.Stop()
		}
		return nil
	})
	batches := r.Files(5)
	if err := r.deliver(first, &batches[0]); err == nil {
		t.Error("acknowledged what is not recorded")
	}
	proxy.Up()
	r.finish(r.worker("second"))
	r.audit()
	if got := r.tries(); len(got) > 0 {
		t.Errorf("charged %q", got)
	}
}
