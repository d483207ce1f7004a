package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// closingRig is a transfer whose files have ended, and whose final steps wait.
type closingRig struct {
	*rig
	completed chan int64
}

// newClosingRig makes a transfer of three files under a recipe with these
// final steps, registered by name.
func newClosingRig(t *testing.T, url, closing string, steps map[string]Finalizer) *closingRig {
	t.Helper()
	r := &closingRig{rig: newRig(t, url, "name: x\nsteps:\n  - handler: noop\nfinally:\n"+closing), completed: make(chan int64, 10)}
	r.must(r.registry.Register("noop", newNoop()))
	for name, h := range steps {
		r.must(r.registry.RegisterFinalizer(name, h))
	}
	r.files(3)
	r.finish(r.worker("w"))
	return r
}

// closer runs a closer until the test ends or stop is called, which stops it in
// order; adjust changes what it works with.
func (r *closingRig) closer(adjust ...func(*FinalizersOptions)) (c *Finalizers, stop func()) {
	r.t.Helper()
	o := FinalizersOptions{
		Steps: r.store, Lines: r.store, Transfers: r.store, Plans: r.catalog, Registry: r.registry, Outputs: AnyOutputRoot(r.t.TempDir()),
		PollInterval: 5 * time.Millisecond, Lease: 10 * time.Second, AbandonAfter: 50 * time.Millisecond,
		Retry: func(s *recipe.Finalizer, reg Registration) tasks.RetryPolicy {
			return tasks.RetryPolicy{Attempts: ClosingRetry(s, reg).Attempts, Backoff: 1, MaxBackoff: 1}
		},
		OnCompleted: func(_ context.Context, id int64) { r.completed <- id },
	}
	for _, f := range adjust {
		f(&o)
	}
	c = NewFinalizers(o)
	return c, testkit.Background(r.t, func(ctx context.Context) error {
		defer context.AfterFunc(ctx, c.Stop)()
		c.Run(ctx)
		return nil
	})
}

// ends waits for the transfer's end, which must be as described.
func (r *closingRig) ends(want string) {
	r.t.Helper()
	select {
	case <-r.completed:
	case <-time.After(time.Minute):
		r.t.Fatalf("it does not complete: it is %s", r.is())
	}
	if got := r.is(); got != want {
		r.t.Errorf("it is %s, want %s", got, want)
	}
}

// is describes the transfer and its final steps.
func (r *closingRig) is() string {
	r.t.Helper()
	tr, err := r.store.TransferByID(r.t.Context(), r.transfer.ID)
	r.must(err)
	words := []string{string(tr.State)}
	for _, s := range tr.Finalizers {
		word := fmt.Sprintf("%s:%s/%d", s.Name, s.State, s.Attempts)
		if s.Error != "" {
			word += "(" + strings.SplitN(s.Error, "\n", 2)[0] + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// becomes waits until it is so.
func (r *closingRig) becomes(want string) {
	r.t.Helper()
	testkit.Eventually(r.t, time.Minute, func() error {
		if got := r.is(); got != want {
			return fmt.Errorf("it is %s, want %s", got, want)
		}
		return nil
	})
}

func TestCloserRunsClosingSteps(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		var seen []string
		r := newClosingRig(t, url, "  - handler: note\n    with: {id: '${transfer}'}\n  - name: again\n    handler: note\n", map[string]Finalizer{
			"note": func(ctx context.Context, c *TransferJob) error {
				files := 0
				for f, err := range c.Files(ctx) {
					if err != nil {
						return err
					}
					files++
					if want := fmt.Sprintf("/data/f%04d.txt", f.No); f.Path != want {
						return fmt.Errorf("file %d is %s", f.No, f.Path)
					}
				}
				for l, err := range c.Results(ctx) {
					if err != nil || l.Step != "noop" || l.Outcome != tasks.OutcomeSucceeded {
						return fmt.Errorf("%+v, %w", l, err)
					}
					files++
				}
				seen = append(seen, fmt.Sprint(files, c.Transfer().Finished, c.Args(), c.Attempt(), c.ID() != ""))
				return nil
			},
		})
		r.closer()
		r.ends("completed note:done/1 again:done/1")
		want := []string{fmt.Sprintf("6 3 map[id:%s] 1 true", r.transfer.UUID), "6 3 <nil> 1 true"}
		if fmt.Sprint(seen) != fmt.Sprint(want) {
			t.Errorf("seen %v, want %v", seen, want)
		}
	})
}

// What each way of ending makes of a step; those behind it run all the same.
func TestClosingStepsEnd(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		tries := 0
		var closing strings.Builder
		for _, name := range []string{"error", "panic", "fail", "warn", "moody", "slow", "well"} {
			closing.WriteString("  - handler: " + name + "\n    retry: {attempts: 2}\n")
			if name == "slow" {
				closing.WriteString("    timeout: 20ms\n")
			}
		}
		r := newClosingRig(t, url, closing.String(), map[string]Finalizer{
			"error": func(context.Context, *TransferJob) error { return errors.New("no luck") },
			"panic": func(context.Context, *TransferJob) error { panic("oh") },
			"fail":  func(context.Context, *TransferJob) error { return Fail("bad", errors.New("useless")) },
			"warn":  func(context.Context, *TransferJob) error { return Warn("odd", "look") },
			"moody": func(context.Context, *TransferJob) error {
				if tries++; tries == 1 {
					return errors.New("not yet")
				}
				return nil
			},
			"slow": func(ctx context.Context, _ *TransferJob) error { <-ctx.Done(); return ctx.Err() },
			"well": func(context.Context, *TransferJob) error { return nil },
		})
		r.closer()
		r.ends("completed error:failed/2(no luck) panic:failed/2(panic: oh) fail:failed/1(bad: useless) warn:done/1(odd: look)" +
			" moody:done/2 slow:failed/2(timeout: the step's time, 20ms, ran out) well:done/1")
	})
}

// A worker is told to stop: the handler is cancelled, no try is charged, and
// another worker does it.
func TestStopHandsClosingStepsBack(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		begun := make(chan struct{}, 2)
		var release sync.Once
		r := newClosingRig(t, url, "  - handler: long\n", map[string]Finalizer{
			"long": func(ctx context.Context, _ *TransferJob) (err error) {
				begun <- struct{}{}
				release.Do(func() {
					<-ctx.Done()
					err = errors.New("a connection was cut")
				})
				return err
			},
		})
		_, stop := r.closer()
		<-begun
		stop()
		if got := r.is(); got != "finalizing long:waiting/0" {
			t.Errorf("it is %s", got)
		}
		r.closer()
		r.ends("completed long:done/1")
	})
}

// One that ignores the end of its context is left alone.
func TestStopWaitsForNoClosingHandler(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		begun, release := make(chan struct{}), make(chan struct{})
		defer close(release)
		r := newClosingRig(t, url, "  - handler: deaf\n", map[string]Finalizer{
			"deaf": func(context.Context, *TransferJob) error { close(begun); <-release; return nil },
		})
		_, stop := r.closer()
		<-begun
		stop()
		if got := r.is(); got != "finalizing deaf:waiting/0" {
			t.Errorf("it is %s", got)
		}
	})
}

// A person cancels the transfer: the handler is told within a part of the lease.
func TestCancelReachesAClosingHandler(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		begun, told := make(chan struct{}), make(chan struct{})
		r := newClosingRig(t, url, "  - handler: long\n", map[string]Finalizer{
			"long": func(ctx context.Context, _ *TransferJob) error { close(begun); <-ctx.Done(); close(told); return nil },
		})
		_, stop := r.closer(func(o *FinalizersOptions) { o.RenewInterval = 5 * time.Millisecond })
		<-begun
		if canceled, err := r.store.Cancel(t.Context(), r.transfer.ID); err != nil || !canceled {
			t.Fatalf("canceled %v, %v", canceled, err)
		}
		<-told
		stop()
		if got := r.is(); got != "canceled long:canceled/1" {
			t.Errorf("it is %s", got)
		}
	})
}

// Every worker that takes a step dies with it: in the end it is given up.
func TestClosingStepThatKillsItsWorkers(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		r := newClosingRig(t, url, "  - handler: deadly\n    retry: {attempts: 2}\n", map[string]Finalizer{
			"deadly": func(context.Context, *TransferJob) error { t.Error("it ran a third time"); return nil },
		})
		for range 2 {
			due, err := r.store.DueFinalizeSteps(t.Context(), ledger.FinalizeQuery{Handlers: []string{"deadly"}, Limit: 1})
			if err != nil || len(due) != 1 {
				t.Fatalf("%+v, %v", due, err)
			}
			if taken, err := r.store.ClaimFinalizeStep(t.Context(), &due[0], -time.Second); err != nil || !taken { // and dies
				t.Fatalf("taken %v, %v", taken, err)
			}
		}
		r.closer()
		r.ends("completed deadly:failed/3(worker-lost: 2 workers ended in the middle of this step)")
	})
}
