package finalize

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/transfertest"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// env is a transfer whose files have ended, and whose final steps wait.
type env struct {
	*transfertest.Env
	registry  *handlers.Registry
	completed chan int64
}

// newEnv makes a transfer of three files under a recipe with these final steps,
// registered by name.
func newEnv(t *testing.T, url, finalizers string, steps map[string]handlers.Finalizer) *env {
	t.Helper()
	r := &env{
		Env:      transfertest.New(t, url, "name: x\nsteps:\n  - handler: noop\nfinally:\n"+finalizers),
		registry: &handlers.Registry{}, completed: make(chan int64, 10),
	}
	for name, h := range steps {
		r.Must(r.registry.RegisterFinalizer(name, h))
	}
	for _, b := range r.Files(3) {
		r.complete(b.ID)
	}
	return r
}

// complete records that every file of a batch succeeded.
func (r *env) complete(batch int64) {
	r.T.Helper()
	claim := r.Claim(batch, false)
	done := &ledger.BatchCompletion{Batch: &claim.Batch}
	for no := range claim.Files.All() {
		done.Results = append(done.Results, tasks.Result{
			Step: claim.Step, File: no, Outcome: tasks.OutcomeSucceeded, Attempt: 1, StartedAt: time.Now(), EndedAt: time.Now(),
		})
	}
	done.FollowUp = &ledger.FollowUp{Finished: int64(len(done.Results))}
	results, err := r.Store.Record(r.T.Context(), []*ledger.BatchCompletion{done})
	r.Must(err)
	r.Must(results[0].Err)
}

// run runs an Executor until the test ends or stop is called, which stops it in
// order; adjust changes what it works with.
func (r *env) run(adjust ...func(*Options)) (c *Executor, stop func()) {
	r.T.Helper()
	o := Options{
		Steps: r.Store, Lines: r.Store, Written: r.Store, Transfers: r.Store, Plans: r.Transfers, Registry: r.registry, Outputs: handlers.AnyOutputRoot(r.T.TempDir()),
		PollInterval: 5 * time.Millisecond, Lease: 10 * time.Second, AbandonAfter: 50 * time.Millisecond,
		Retry: func(s *recipe.FinalStep, reg handlers.Registration) tasks.RetryPolicy {
			return tasks.RetryPolicy{Attempts: stepRetry(s, reg).Attempts, Backoff: 1, MaxBackoff: 1}
		},
		OnCompleted: func(_ context.Context, id int64) { r.completed <- id },
	}
	for _, f := range adjust {
		f(&o)
	}
	c = New(o)
	return c, testkit.Background(r.T, func(ctx context.Context) error {
		defer context.AfterFunc(ctx, c.Stop)()
		c.Run(ctx)
		return nil
	})
}

// ends waits for the transfer's end, which must be as described.
func (r *env) ends(want string) {
	r.T.Helper()
	select {
	case <-r.completed:
	case <-time.After(time.Minute):
		r.T.Fatalf("it does not complete: it is %s", r.is())
	}
	if got := r.is(); got != want {
		r.T.Errorf("it is %s, want %s", got, want)
	}
}

// is describes the transfer and its final steps.
func (r *env) is() string {
	r.T.Helper()
	tr, err := r.Store.TransferByID(r.T.Context(), r.Transfer.ID)
	r.Must(err)
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
func (r *env) becomes(want string) {
	r.T.Helper()
	testkit.Eventually(r.T, time.Minute, func() error {
		if got := r.is(); got != want {
			return fmt.Errorf("it is %s, want %s", got, want)
		}
		return nil
	})
}

func TestLoopRunsFinalSteps(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		var seen []string
		r := newEnv(t, url, "  - handler: note\n    with: {id: '${transfer}'}\n  - name: again\n    handler: note\n", map[string]handlers.Finalizer{
			"note": func(ctx context.Context, c *handlers.TransferJob) error {
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
		r.run()
		r.ends("completed note:done/1 again:done/1")
		want := []string{fmt.Sprintf("6 3 map[id:%s] 1 true", r.Transfer.UUID), "6 3 <nil> 1 true"}
		if fmt.Sprint(seen) != fmt.Sprint(want) {
			t.Errorf("seen %v, want %v", seen, want)
		}
	})
}

// The state of a step for each way in which its handler ends. The steps after it run in
// every case.
func TestFinalStepsEnd(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		tries := 0
		var finalizers strings.Builder
		for _, name := range []string{"error", "panic", "fail", "warn", "moody", "slow", "well"} {
			finalizers.WriteString("  - handler: " + name + "\n    retry: {attempts: 2}\n")
			if name == "slow" {
				finalizers.WriteString("    timeout: 20ms\n")
			}
		}
		r := newEnv(t, url, finalizers.String(), map[string]handlers.Finalizer{
			"error": func(context.Context, *handlers.TransferJob) error { return errors.New("no luck") },
			"panic": func(context.Context, *handlers.TransferJob) error { panic("oh") },
			"fail":  func(context.Context, *handlers.TransferJob) error { return handlers.Fail("bad", errors.New("useless")) },
			"warn":  func(context.Context, *handlers.TransferJob) error { return handlers.Warn("odd", "look") },
			"moody": func(context.Context, *handlers.TransferJob) error {
				if tries++; tries == 1 {
					return errors.New("not yet")
				}
				return nil
			},
			"slow": func(ctx context.Context, _ *handlers.TransferJob) error { <-ctx.Done(); return ctx.Err() },
			"well": func(context.Context, *handlers.TransferJob) error { return nil },
		})
		r.run()
		r.ends("completed error:failed/2(no luck) panic:failed/2(panic: oh) fail:failed/1(bad: useless) warn:done/1(odd: look)" +
			" moody:done/2 slow:failed/2(timeout: the step's time, 20ms, ran out) well:done/1")
	})
}

// A worker is told to stop: the handler is cancelled, no try is charged, and
// another worker does it.
func TestStopReleasesFinalSteps(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		begun := make(chan struct{}, 2)
		var release sync.Once
		r := newEnv(t, url, "  - handler: long\n", map[string]handlers.Finalizer{
			"long": func(ctx context.Context, _ *handlers.TransferJob) (err error) {
				begun <- struct{}{}
				release.Do(func() {
					<-ctx.Done()
					err = errors.New("a connection was cut")
				})
				return err
			},
		})
		_, stop := r.run()
		<-begun
		stop()
		if got := r.is(); got != "finalizing long:waiting/0" {
			t.Errorf("it is %s", got)
		}
		r.run()
		r.ends("completed long:done/1")
	})
}

// One that ignores the end of its context is left alone.
func TestStopDoesNotWaitForAFinalizer(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		begun, release := make(chan struct{}), make(chan struct{})
		defer close(release)
		r := newEnv(t, url, "  - handler: deaf\n", map[string]handlers.Finalizer{
			"deaf": func(context.Context, *handlers.TransferJob) error { close(begun); <-release; return nil },
		})
		_, stop := r.run()
		<-begun
		stop()
		if got := r.is(); got != "finalizing deaf:waiting/0" {
			t.Errorf("it is %s", got)
		}
	})
}

// A person cancels the transfer: the handler is told within a part of the lease.
func TestCancelReachesAFinalizer(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		begun, told := make(chan struct{}), make(chan struct{})
		r := newEnv(t, url, "  - handler: long\n", map[string]handlers.Finalizer{
			"long": func(ctx context.Context, _ *handlers.TransferJob) error {
				close(begun)
				<-ctx.Done()
				close(told)
				return nil
			},
		})
		_, stop := r.run(func(o *Options) { o.RenewInterval = 5 * time.Millisecond })
		<-begun
		if canceled, err := r.Store.Cancel(t.Context(), r.Transfer.ID); err != nil || !canceled {
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
func TestFinalStepThatKillsItsWorkers(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "  - handler: deadly\n    retry: {attempts: 2}\n", map[string]handlers.Finalizer{
			"deadly": func(context.Context, *handlers.TransferJob) error { t.Error("it ran a third time"); return nil },
		})
		for range 2 {
			due, err := r.Store.DueFinalizeSteps(t.Context(), ledger.FinalizeQuery{Handlers: []string{"deadly"}, Limit: 1})
			if err != nil || len(due) != 1 {
				t.Fatalf("%+v, %v", due, err)
			}
			if taken, err := r.Store.ClaimFinalizeStep(t.Context(), &due[0], -time.Second); err != nil || !taken { // and dies
				t.Fatalf("taken %v, %v", taken, err)
			}
		}
		r.run()
		r.ends("completed deadly:failed/3(worker-crashed: 2 workers ended in the middle of this step)")
	})
}
