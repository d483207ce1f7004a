package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/tasks"
)

func newTestDispatcher(f *fake, o Options) *Dispatcher {
	if o.LeaseHolder == "" {
		o.LeaseHolder = "me"
	}
	if o.Queues == nil {
		o.Queues, o.Handlers = []string{"q"}, []string{"noop"}
	}
	return New(f, f, f.transfers(tasks.BatchPolicy{MaxItems: 10}), withTimes(o))
}

// withTimes sets the options that a Dispatcher needs and the test does not care about.
func withTimes(o Options) Options {
	o.Window = cmp.Or(o.Window, 64)
	o.Interval = cmp.Or(o.Interval, 100*time.Millisecond)
	o.SweepDelay = cmp.Or(o.SweepDelay, 2*time.Minute)
	o.Resend = cmp.Or(o.Resend, 15*time.Second)
	return o
}

// run runs a dispatcher for a while. The caller is in a synctest bubble.
func run(t *testing.T, d *Dispatcher, f *fake, lasting time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	if err := d.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run gave %v", err)
	}
	if f.holder == d.opts.LeaseHolder {
		t.Error("the lease was not released")
	}
}

func cutFiles(f *fake, transfer int64) int {
	n := 0
	for i := range f.batches {
		if f.batches[i].Transfer == transfer {
			n += f.batches[i].Items()
		}
	}
	return n
}

func TestDispatcherContinuesAfterErrors(t *testing.T) {
	methods := []string{"AcquireLease", "Backlogs", "SumSizes", "FilesAfter", "CommitDispatch", "DueBatches", "EnqueueBatches", "FirstQueued", "Gatherings", "RepairGroups", "TakeOversized", "MarkInterrupted", "read"}
	for _, method := range methods {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Files: 95}, {Transfer: 2, Via: tasks.ViaGroup, Files: 5}}
			f.fail[method] = 2
			run(t, newTestDispatcher(f, Options{}), f, 10*time.Minute)
			if n := cutFiles(f, 1); n != 95 || f.fail[method] != 0 {
				t.Errorf("%s failed twice: %d of 95 files were dispatched, %d failures left", method, n, f.fail[method])
			}
			if n := cutFiles(f, 2); n != 5 {
				t.Errorf("%s failed twice: the sweep found %d of 5 files", method, n)
			}
		})
	}
}

// A transfer that cannot be canceled at its deadline keeps back no other.
func TestDispatcherContinuesWithoutDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Files: 95}}
		f.fail["CancelOverdue"] = -1
		run(t, newTestDispatcher(f, Options{}), f, time.Minute)
		if n := cutFiles(f, 1); n != 95 {
			t.Errorf("%d of 95 files were dispatched", n)
		}
		for _, method := range []string{"CancelOverdue", "DueBatches"} { // also what follows it each second
			if n := f.calls[method]; n < 10 {
				t.Errorf("%s was called %d times in a minute", method, n)
			}
		}
	})
}

// A dispatcher without the lease does nothing.
func TestDispatcherWithoutTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.holder = "another"
		f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Files: 5}}
		d := newTestDispatcher(f, Options{OnElected: func(context.Context) error {
			t.Error("elected")
			return nil
		}})
		run(t, d, f, time.Minute)
		if f.calls["AcquireLease"] < 10 || f.calls["Backlogs"]+f.calls["DueBatches"]+f.calls["RepairGroups"] > 0 || f.holder != "another" {
			t.Errorf("calls %v, holder %q", f.calls, f.holder)
		}
	})
}

func TestDispatcherActsWhenElected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.holder = "another"
		f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Files: 5}}
		elected := 0
		d := newTestDispatcher(f, Options{OnElected: func(context.Context) error {
			if elected++; elected < 3 {
				return errAway
			}
			return nil
		}})
		time.AfterFunc(20*time.Second, func() { _ = f.ReleaseLease(t.Context(), dispatcherLease, "another") }) // a fake never fails at this
		run(t, d, f, time.Minute)
		if elected != 3 || cutFiles(f, 1) != 5 {
			t.Errorf("elected %d times, %d files dispatched", elected, cutFiles(f, 1))
		}
	})
}

// The first round dispatches files of a small transfer, whatever other transfers have.
func TestRoundServesEveryTransfer(t *testing.T) {
	f := newFake()
	f.backlogs = []ledger.Backlog{
		{Transfer: 1, Via: tasks.ViaBulk, Files: 10_000_000}, {Transfer: 2, Via: tasks.ViaBulk, Files: 10}, {Transfer: 66, Via: tasks.ViaBulk, Files: 1},
		{Transfer: 3, Via: tasks.ViaBulk, Files: 100, Open: 60},
	}
	d := newTestDispatcher(f, Options{})
	if _, err := d.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, b, c := cutFiles(f, 1), cutFiles(f, 2), cutFiles(f, 3); a != 160 || b != 10 || c != 0 {
		t.Errorf("one round dispatched %d files of the large transfer, %d of the small one, %d of one that has more open batches than its part", a, b, c)
	}
	if len(f.sent) != len(f.batches) {
		t.Errorf("%d of %d batches sent", len(f.sent), len(f.batches))
	}
	for range 5 {
		if _, err := d.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := cutFiles(f, 1); n != 220 { // the small one has no files left: three share the window
		t.Errorf("%d files dispatched with a full part", n)
	}
}

// A round continues after the transfer that the last one served, and then begins again.
func TestRoundsStartAgainAfterTheLastTransfer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Files: 1}, {Transfer: 3, Via: tasks.ViaBulk, Files: 7}}
		d := newTestDispatcher(f, Options{})
		d.lastServed = 3
		run(t, d, f, time.Second)
		if cutFiles(f, 1) != 1 || cutFiles(f, 3) != 7 {
			t.Errorf("%d and %d files dispatched", cutFiles(f, 1), cutFiles(f, 3))
		}
	})
}

// A transfer that cannot be served delays no other, and is tried again.
func TestOneBadTransferDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Files: 640_000}, {Transfer: 66, Via: tasks.ViaBulk, Files: 5}}
		d := newTestDispatcher(f, Options{Window: 1 << 20})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start, took := time.Now(), time.Duration(0)
		d.opts.Now = func() time.Time {
			if took == 0 && cutFiles(f, 1) == 640_000 {
				took = time.Since(start)
			}
			return time.Now()
		}
		_ = d.Run(ctx) // other tests check what it returns
		if n := cutFiles(f, 1); n != 640_000 || took > time.Second {
			t.Errorf("%d files dispatched, in %v", n, took)
		}
		if n := f.calls["read"]; n < 5 || n > 10 {
			t.Errorf("the bad transfer was tried %d times in half a minute", n)
		}
	})
}

// A statement that the database refuses each time is in the log once a minute, and known to those
// who wait for the transfer; other errors are no fault of the database.
func TestDispatcherSaysThatTheDatabaseRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			err     error
			refused bool
		}{
			{&mysql.MySQLError{Number: 1054, SQLState: [5]byte{'4', '2', 'S', '2', '2'}, Message: "Unknown column"}, true},
			{errors.New("the recipe cannot be read"), false},
		} {
			var log bytes.Buffer
			logger := outage.Share(slog.New(slog.NewTextHandler(&log, nil)))
			d := newTestDispatcher(newFake(), Options{Log: logger})
			for range 6 { // half a minute
				d.backOff(t.Context(), 1, fmt.Errorf("cut batches: %w", c.err))
				time.Sleep(backOffTime)
			}
			lines, want := strings.Count(log.String(), "\n"), 6
			if c.refused {
				want = 1
			}
			if failing := outage.Failing(logger, outage.Database); (failing != nil) != c.refused || lines != want {
				t.Errorf("%v: failing with %v, and %d lines: %s", c.err, failing, lines, log.String())
			}
			if c.refused && !strings.Contains(log.String(), "compare the database's tables and rights") {
				t.Errorf("the log: %s", log.String())
			}
		}
	})
}

// A batch that ends during the sweep has recorded results, so its files are not missing.
func TestSweepWhileABatchCompletes(t *testing.T) {
	f := newFake()
	marked := time.Now().Add(-time.Hour)
	f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaGroup, Files: 9, SweepMark: 9, MarkedAt: marked}}
	f.write([]tasks.Batch{{Transfer: 1, Step: 1, Files: tasks.Ranges{{First: 1, Last: 4}}}})
	f.onOpen = func() { // just after it was read
		f.recorded = tasks.Ranges{{First: 1, Last: 6}}
		f.batches = nil
	}
	d := newTestDispatcher(f, Options{})
	if _, err := d.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.batches) != 1 || f.batches[0].Files.String() != "7-9" || f.backlogs[0].Cursor != 9 {
		t.Errorf("the sweep made %+v", f.batches)
	}
}

func TestWakeNeverBlocks(*testing.T) {
	d := newTestDispatcher(newFake(), Options{})
	for range 3 {
		d.Wake()
	}
}

// While the costs of a step with a target are unknown, each slot gets small batches, and no
// further files are read. Once the costs are known, batches meet the target.
func TestDispatcherProbesWhileCostsAreUnknown(t *testing.T) {
	f := newFake()
	f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaBulk, Sealed: true, Files: 1_000_000, Bytes: 1_000_000}}
	catalog := f.transfers(tasks.BatchPolicy{MaxItems: 1000, Target: 10 * time.Second})
	catalog.Costs = cost.NewModel("me", time.Now)
	d := New(f, f, catalog, withTimes(Options{
		LeaseHolder: "me", Workers: Workers{Capacity: func(context.Context, string) (int, error) { return 3, nil }},
	}))
	step := func() {
		t.Helper()
		if _, err := d.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step()
	step()
	if n := cutFiles(f, 1); len(f.batches) != 6 || n > 6*16 || f.read > 6*17 {
		t.Fatalf("%d files in %d batches for 3 slots, %d were read", n, len(f.batches), f.read)
	}
	for range 10 {
		catalog.Costs.Observe(cost.Key{Handler: "noop"}, 16, 16, 8*time.Second)
	}
	f.backlogs[0].Open, f.batches, f.read = 0, nil, 0
	step()
	if len(f.batches) < 6 || f.batches[0].Items() < 19 || f.batches[0].Items() > 21 || f.read > 45*len(f.batches) {
		t.Errorf("%d batches, the first of %d files that take half a second; %d were read", len(f.batches), f.batches[0].Items(), f.read)
	}
	if b := f.backlogs[0]; b.Files-b.Cursor != b.Bytes {
		t.Errorf("%d bytes are left of %d files of one byte", b.Bytes, b.Files-b.Cursor)
	}
}

// A transfer with invalid rows is paused with the reason; the others continue.
func TestTransferWithInvalidRowsIsPaused(t *testing.T) {
	f := newFake()
	f.backlogs = []ledger.Backlog{
		{Transfer: 67, Via: tasks.ViaBulk, Files: 10}, // reading it panics
		{Transfer: 2, Via: tasks.ViaGroup, Files: 10, Cursor: 5, SweepMark: 4_000_000, MarkedAt: time.Now().Add(-time.Hour)},
		{Transfer: 1, Via: tasks.ViaBulk, Files: 10},
	}
	f.missing = 2
	d := newTestDispatcher(f, Options{})
	for range 2 {
		if _, err := d.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.suspended) != 2 || !strings.Contains(f.suspended[0], "panic: cannot read") || !strings.Contains(f.suspended[1], "files are missing") {
		t.Errorf("suspended: %q", f.suspended)
	}
	if n := cutFiles(f, 1); n != 10 {
		t.Errorf("%d files of the healthy transfer are dispatched", n)
	}
}
