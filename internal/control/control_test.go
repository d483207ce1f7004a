package control

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/transfertest"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// system is a database with one transfer, and what steers it without a queue.
type system struct {
	*transfertest.Env
	*Controller
}

func newSystem(t *testing.T, url string) system {
	t.Helper()
	e := transfertest.New(t, url, "name: t\nsteps: [{handler: noop}, {handler: noop, name: second, on_failure: continue}]")
	return system{e, newController(e)}
}

func newController(e *transfertest.Env) *Controller {
	return New(Options{
		Store: e.Store, Transfers: e.Transfers, Costs: cost.NewModel("test", time.Now), Log: slog.New(slog.DiscardHandler), Name: "test",
	})
}

// run records a result of every open batch, the same for all files, and completes the transfer.
func (s system) run(outcome tasks.Outcome) {
	s.T.Helper()
	now := time.Now()
	for {
		open := s.Open()
		if len(open) == 0 {
			return
		}
		plan, err := s.Transfers.Get(s.T.Context(), s.Transfer.ID)
		s.Must(err)
		for i := range open {
			b := &open[i]
			c := &ledger.BatchCompletion{Batch: b, FollowUp: &ledger.FollowUp{}}
			for no := range b.Files.All() {
				c.Results = append(c.Results, tasks.Result{
					Step: b.Step, File: no, Outcome: outcome, Attempt: 1, StartedAt: now, EndedAt: now,
				})
			}
			if b.Step == 1 && !plan.Step(1).StopsOnFailure(outcome) {
				next := *b
				next.ID, next.Step, next.FencingToken = 0, 2, 0
				c.FollowUp.Batches = []tasks.Batch{next}
			} else {
				c.FollowUp.Finished = int64(b.Items())
			}
			done, err := s.Store.Record(s.T.Context(), []*ledger.BatchCompletion{c})
			s.Must(errors.Join(err, done[0].Err))
		}
	}
}

func (s system) read() tasks.Transfer {
	s.T.Helper()
	t, err := s.Store.TransferByID(s.T.Context(), s.Transfer.ID)
	s.Must(err)
	return t
}

// A reference is an id, the beginning of one, a number, a name or latest.
func TestFindTransfer(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		s := newSystem(t, url)
		first := s.Transfer
		for ref, want := range map[string]string{
			first.UUID: first.UUID, first.UUID[:13]: first.UUID, strconv.FormatInt(first.ID, 10): first.UUID, "test": first.UUID, LatestTransfer: first.UUID,
		} {
			if found, err := s.FindTransfer(t.Context(), ref); err != nil || found.UUID != want {
				t.Errorf("%q is %s, %v", ref, found.UUID, err)
			}
		}
		named := s.Create("name: t\nsteps: [{handler: noop}]")
		_, err := s.DB().ExecContext(t.Context(), "UPDATE transfers SET name = uuid WHERE id = ?", first.ID)
		s.Must(err)
		_, err = s.DB().ExecContext(t.Context(), "UPDATE transfers SET name = ? WHERE id = ?", first.UUID, named.ID)
		s.Must(err)
		if found, err := s.FindTransfer(t.Context(), first.UUID); err != nil || found.UUID != first.UUID {
			t.Errorf("an id that another transfer has as its name is %s, %v", found.UUID, err)
		}
		if found, err := s.FindTransfer(t.Context(), LatestTransfer); err != nil || found.UUID != named.UUID {
			t.Errorf("the latest is %s, %v", found.UUID, err)
		}
		for range candidates + 1 {
			s.Create("name: t\nsteps: [{handler: noop}]")
		}
		_, err = s.FindTransfer(t.Context(), "test")
		if many, ok := errors.AsType[*tasks.AmbiguousError](err); !ok || len(many.Candidates) != candidates || !many.More {
			t.Errorf("many transfers have this name, and the error is %v", err)
		}
		if _, err := s.FindTransfer(t.Context(), ""); !errors.Is(err, ErrEmptyRef) {
			t.Errorf("an empty reference: %v, want %v", err, ErrEmptyRef)
		}
		for _, ref := range []string{"none", "99999", "%", "'; DROP TABLE transfers; --", "\x00", strings.Repeat("x", 100_000)} {
			if _, err := s.FindTransfer(t.Context(), ref); !errors.Is(err, tasks.ErrTransferNotFound) {
				t.Errorf("%.20q: %v", ref, err)
			}
		}
		canceled, err := s.Cancel(t.Context(), first)
		if err != nil || !canceled {
			t.Fatal(canceled, err)
		}
		s.Must(s.Store.DeleteTransfer(t.Context(), first.ID, store.Deletion{}))
		if found, err := s.FindTransfer(t.Context(), first.UUID); err != nil || found.UUID != named.UUID { // by its name now
			t.Errorf("the id of a deleted transfer, which is a name too, is %s, %v", found.UUID, err)
		}
		_, err = s.FindTransfer(t.Context(), strconv.FormatInt(first.ID, 10))
		if _, deleted := errors.AsType[*tasks.DeletedError](err); !deleted {
			t.Errorf("a deleted transfer: %v", err)
		}
	})
}

// A retry takes all failures over many pages, each once, whoever else wants to; the counters stay
// those of the rows.
func TestRetryOfManyFiles(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		const files = 2*retryPage + 200
		s := newSystem(t, url)
		s.Files(files)
		s.run(tasks.OutcomeFailed)
		if tr := s.read(); tr.State != tasks.StateCompleted || tr.Steps[0].Failed != files {
			t.Fatalf("%+v", tr)
		}
		if n, err := s.Retry(t.Context(), s.read(), tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeSucceeded}}); n != 0 || err != nil {
			t.Errorf("%d files that have not succeeded, %v", n, err)
		}
		var mu sync.Mutex
		var retried int64
		testkit.AtOnce(t, 4, func(int) error {
			n, err := newController(s.Env).Retry(t.Context(), s.Transfer, tasks.ResultSelector{})
			mu.Lock()
			defer mu.Unlock()
			retried += n
			if errors.Is(err, ErrRetryInProgress) {
				return nil
			}
			return err
		})
		if tr := s.read(); retried != files || tr.State != tasks.StateRunning || tr.Finished != 0 || tr.Steps[0].Failed != 0 {
			t.Errorf("%d of %d files are retried: %+v", retried, files, tr)
		}
		seen := make(map[int64]bool)
		for _, b := range s.Open() {
			for no := range b.Files.All() {
				if seen[no] || b.FencingToken == 0 || b.Step != 1 {
					t.Errorf("file %d in %+v", no, b)
				}
				seen[no] = true
			}
		}
		if len(seen) != files {
			t.Errorf("batches of %d files", len(seen))
		}
		s.run(tasks.OutcomeSucceeded)
		tr := s.read()
		if tr.State != tasks.StateCompleted || tr.Steps[0].Succeeded != files || tr.Steps[1].Succeeded != files || tr.Steps[1].Selected != files {
			t.Errorf("%+v", tr)
		}
		if n, err := s.Retry(t.Context(), tr, tasks.ResultSelector{}); n != 0 || err != nil {
			t.Errorf("%d files without a failure, %v", n, err)
		}
	})
}

// calls cancels a context with the nth question for its end.
type calls struct {
	context.Context
	mu     sync.Mutex
	left   int
	cancel func()
}

func (c *calls) Err() error {
	c.mu.Lock()
	if c.left--; c.left == 0 {
		c.cancel()
	}
	c.mu.Unlock()
	return c.Context.Err()
}

// A retry that is canceled at any place gives up its lease, and another one does the rest: no file
// is lost, and none runs twice.
func TestRetryThatIsCanceled(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		const files = 2*retryPage + 100
		s := newSystem(t, url)
		s.Files(files)
		s.run(tasks.OutcomeTimedOut)
		parts := 0
		for after := 1; after < 200; after += 4 {
			ctx, cancel := context.WithCancel(t.Context())
			n, err := s.Retry(&calls{Context: ctx, left: after, cancel: cancel}, s.Transfer, tasks.ResultSelector{})
			cancel()
			if errors.Is(err, ErrRetryInProgress) {
				t.Fatalf("canceled after %d questions, and its lease stays", after)
			}
			if err != nil && n > 0 {
				parts++
			}
		}
		_, err := s.Retry(t.Context(), s.Transfer, tasks.ResultSelector{})
		s.Must(err)
		total := 0
		for _, b := range s.Open() {
			total += b.Items()
		}
		if tr := s.read(); total != files || tr.Finished != 0 || tr.Steps[0].TimedOut != 0 {
			t.Errorf("batches of %d of %d files after %d parts: %+v", total, files, parts, tr)
		}
	})
}

// What is not there, or makes no sense, is an error that says so, and changes nothing.
func TestControlOfNothing(t *testing.T) {
	t.Parallel()
	s := newSystem(t, testkit.SQLite(t))
	ctx, tr, n := t.Context(), s.Transfer, -1
	weight, many := 3, tasks.MaxWeight+1
	for name, tt := range map[string]struct {
		do   func() error
		want error // nil: any
	}{
		"all files":       {func() error { _, err := s.CancelFiles(ctx, tr, tasks.ResultSelector{}); return err }, ErrNothingSelected},
		"final steps":     {func() error { _, err := s.RetryFinalizers(ctx, tr); return err }, ErrNotCompleted},
		"worker":          {func() error { return s.SetWorkerState(ctx, "none", tasks.DesiredState("paused")) }, ErrWorkerNotFound},
		"level of worker": {func() error { return s.SetWorkerLogLevel(ctx, "none", "debug") }, ErrWorkerNotFound},
		"no level":        {func() error { return s.SetWorkerLogLevel(ctx, "none", "loud") }, nil},
		"dead letter":     {func() error { return s.RequeueDeadLetter(ctx, 7, "q") }, store.ErrDeadLetterNotFound},
		"no dead letter":  {func() error { return s.DiscardDeadLetter(ctx, 7) }, store.ErrDeadLetterNotFound},
		"approval":        {func() error { _, err := s.Decide(ctx, tr, tasks.Decision{Who: "me"}); return err }, store.ErrNoApproval},
		"queue's name": {func() error {
			_, err := s.SetLimit(ctx, tasks.ScopeQueue, "  ", tasks.LimitChange{Weight: &weight})
			return err
		}, nil},
		"no queue's name": {func() error {
			_, err := s.SetLimit(ctx, tasks.ScopeQueue, "", tasks.LimitChange{InFlight: &weight})
			return err
		}, nil},
		"queue's weight": {func() error {
			_, err := s.SetLimit(ctx, tasks.ScopeQueue, "q", tasks.LimitChange{Weight: &many})
			return err
		}, nil},
		"negative weight": {func() error {
			_, err := s.SetLimit(ctx, tasks.ScopeQueue, "q", tasks.LimitChange{Weight: &n})
			return err
		}, nil},
		"handler's weight": {func() error {
			_, err := s.SetLimit(ctx, tasks.ScopeHandler, "h", tasks.LimitChange{Weight: &weight})
			return err
		}, nil},
		"handler's name": {func() error {
			_, err := s.SetLimit(ctx, tasks.ScopeHandler, "A B", tasks.LimitChange{InFlight: &weight})
			return err
		}, nil},
	} {
		if err := tt.do(); err == nil || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if limits, err := s.Limits(ctx); err != nil || len(limits) > 0 {
		t.Errorf("limits %+v, %v", limits, err)
	}

	s.Must(s.Store.AddDeadLetter(ctx, "x", bytes.Repeat([]byte("x"), tasks.MaxPayload+1), "too large"))
	letters, err := s.DeadLetters(ctx, 0, 10)
	s.Must(err)
	if err := s.RequeueDeadLetter(ctx, letters[0].ID, "q"); err == nil || !strings.Contains(err.Error(), "only the first") {
		t.Errorf("a dead letter that is cut is sent again: %v", err)
	}
	s.Must(s.DiscardDeadLetter(ctx, letters[0].ID))

	s.Files(1)
	s.run(tasks.OutcomeSucceeded)
	ended := s.read()
	for what, do := range map[string]func(context.Context, tasks.Transfer) (bool, error){"cancel": s.Cancel, "pause": s.Pause, "resume": s.Resume} {
		if did, err := do(ctx, ended); did || err != nil {
			t.Errorf("%s of a transfer that has ended: %v, %v", what, did, err)
		}
	}
	if all, err := s.Waiting(ctx, []tasks.Transfer{ended}); all != nil || err != nil {
		t.Errorf("it waits for %+v, %v", all, err)
	}
}

// A limit that is set is no error, also when its note cannot be read.
func TestLimitWithoutNote(t *testing.T) {
	t.Parallel()
	s := newSystem(t, testkit.SQLite(t))
	_, err := s.DB().ExecContext(t.Context(), "DROP TABLE workers")
	s.Must(err)
	most := 3
	set, err := s.SetLimit(t.Context(), tasks.ScopeHandler, "noop", tasks.LimitChange{InFlight: &most})
	if err != nil || set.InFlight != most || set.Note != "" {
		t.Errorf("it is set, and the answer is %+v, %v", set, err)
	}
	if all, err := s.Store.Limits(t.Context()); err != nil || len(all) != 1 || all[0].InFlight != most {
		t.Errorf("the limits are %+v, %v", all, err)
	}
}

// Without the database everything is an error, and nothing hangs.
func TestControlWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	e := transfertest.New(t, testkit.SQLite(t), "name: t\nsteps: [{handler: noop}]")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, tr := newController(e), e.Transfer
	for name, do := range map[string]func() error{
		"find":         func() error { _, err := c.FindTransfer(ctx, "x"); return err },
		"latest":       func() error { _, err := c.FindTransfer(ctx, LatestTransfer); return err },
		"retry":        func() error { _, err := c.Retry(ctx, tr, tasks.ResultSelector{}); return err },
		"cancel":       func() error { _, err := c.Cancel(ctx, tr); return err },
		"files":        func() error { _, err := c.CancelFiles(ctx, tr, tasks.ResultSelector{File: 1}); return err },
		"live work":    func() error { _, err := c.LiveWork(ctx, tr); return err },
		"surroundings": func() error { _, err := c.Surroundings(ctx); return err },
		"explain":      func() error { return c.Explain(ctx, []tasks.Transfer{tr}) },
		"time":         func() error { return c.ExplainTime(ctx, &tr) },
		"workers":      func() error { _, err := c.Workers(ctx); return err },
		"changes":      func() error { _, err := c.HasOnlyChanges(ctx, tr); return err },
		"pause queue":  func() error { return c.PauseQueue(ctx, "q", true) },
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
