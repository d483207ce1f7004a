package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var errAway = errors.New("away")

// ledger is a store in memory that says what was done to it.
type ledger struct {
	did    []string
	old    []int64 // transfers that may be deleted
	fails  map[string]error
	others bool // another process has the lease
	asked  store.Prune
	purged int
}

func (l *ledger) do(format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if err := l.fails[what]; err != nil {
		return err
	}
	l.did = append(l.did, what)
	return nil
}

func (l *ledger) Prunable(_ context.Context, p store.Prune, after int64) (page []tasks.Transfer, err error) {
	l.asked = p
	for _, id := range l.old {
		if id > after && len(page) < 2 {
			page = append(page, tasks.Transfer{ID: id})
		}
	}
	return page, l.fails["list"]
}

func (l *ledger) DeleteTransfer(_ context.Context, id int64, d store.Deletion) error {
	if d != (store.Deletion{}) {
		return fmt.Errorf("deleted with %+v", d)
	}
	return l.do("delete %d", id)
}
func (l *ledger) PurgeDeleted(context.Context) error { l.purged++; return l.do("purge") }
func (l *ledger) DeleteStrayBatches(context.Context) (int64, error) {
	return 0, l.do("stray")
}
func (l *ledger) PruneAudit(_ context.Context, before time.Time) (int64, error) {
	return 0, l.do("audit before %s", before.UTC().Format(time.DateOnly))
}
func (l *ledger) AcquireLease(_ context.Context, name, _ string, _ time.Duration) (bool, error) {
	if name != store.RetentionLease {
		return false, fmt.Errorf("the lease %s", name)
	}
	return !l.others, l.fails["lease"]
}

func pruner(l *ledger, o Options) *Pruner {
	o.LeaseHolder, o.Log = "test", slog.New(slog.DiscardHandler)
	o.Now = func() time.Time { return time.Date(2026, time.March, 31, 12, 0, 0, 0, time.UTC) }
	return New(l, o)
}

func want(t *testing.T, l *ledger, what ...string) {
	t.Helper()
	if !slices.Equal(l.did, what) {
		t.Errorf("did %q, want %q", l.did, what)
	}
}

// One transfer after the other is deleted, on all pages, and what remains of each before the next.
func TestPassDeletesOldTransfers(t *testing.T) {
	t.Parallel()
	l := &ledger{old: []int64{3, 5, 8}}
	testkit.Must(t, pruner(l, Options{OlderThan: 30 * 24 * time.Hour, KeepLast: 4, FailedToo: true, Journaled: true, AuditKeep: 24 * time.Hour}).Pass(t.Context()))
	want(t, l, "purge", "stray", "audit before 2026-03-30", "delete 3", "purge", "delete 5", "purge", "delete 8", "purge")
	asked := store.Prune{Before: time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC), KeepLast: 4, FailedToo: true, Journaled: true}
	if l.asked != asked {
		t.Errorf("asked for %+v", l.asked)
	}
}

// Without a time, nothing is deleted; what an interrupted deletion has left is.
func TestPassWithoutRetention(t *testing.T) {
	t.Parallel()
	l := &ledger{old: []int64{3}}
	testkit.Must(t, pruner(l, Options{}).Pass(t.Context()))
	want(t, l, "purge", "stray")
}

// While another process makes a pass, or it is not known, this one does nothing.
func TestPassOfOneProcessAtATime(t *testing.T) {
	t.Parallel()
	l := &ledger{old: []int64{3}, others: true}
	testkit.Must(t, pruner(l, Options{OlderThan: time.Hour}).Pass(t.Context()))
	want(t, l)
	l = &ledger{old: []int64{3}, fails: map[string]error{"lease": errAway}}
	if err := pruner(l, Options{OlderThan: time.Hour}).Pass(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("a pass without the lease: %v, want %v", err, errAway)
	}
	want(t, l)
}

// A transfer that runs again or is gone is passed over; any other error ends the pass.
func TestPassPassesOver(t *testing.T) {
	t.Parallel()
	for _, gone := range []error{tasks.ErrTransferNotFound, store.ErrNotEnded, store.ErrStillRunning} {
		l := &ledger{old: []int64{3, 5}, fails: map[string]error{"delete 3": fmt.Errorf("delete: %w", gone)}}
		testkit.Must(t, pruner(l, Options{OlderThan: time.Hour}).Pass(t.Context()))
		want(t, l, "purge", "stray", "delete 5", "purge")
	}
	for fails, before := range map[string][]string{
		"purge": nil, "stray": {"purge"}, "list": {"purge", "stray"}, "delete 3": {"purge", "stray"},
		"delete 5": {"purge", "stray", "delete 3", "purge"},
	} {
		l := &ledger{old: []int64{3, 5}, fails: map[string]error{fails: errAway}}
		if err := pruner(l, Options{OlderThan: time.Hour}).Pass(t.Context()); !errors.Is(err, errAway) {
			t.Errorf("%s fails: %v", fails, err)
		}
		want(t, l, before...)
	}
}

// Passes follow each other, sooner after one that has failed, until the context ends.
func TestRunMakesPasses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{fails: map[string]error{}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- pruner(l, Options{}).Run(ctx) }()
		passes := func(when string, n int) {
			t.Helper()
			synctest.Wait()
			if l.purged != n {
				t.Errorf("%s: %d passes, want %d", when, l.purged, n)
			}
		}
		passes("at once", 1)
		time.Sleep(interval - time.Second)
		passes("before the interval", 1)
		l.fails["purge"] = errAway
		time.Sleep(time.Second)
		passes("after the interval", 2)
		time.Sleep(time.Minute)
		passes("after a failure", 3)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("it was stopped, and ended with %v", err)
		}
	})
}
