package handlertest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestDryRunTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := testkit.WriteFileIn(t, t.TempDir(), "a", "")
		h := handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
			if job.File().No == 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		results, err := DryRun{Timeout: time.Millisecond}.Run(t.Context(), h, path, path, path)
		testkit.Must(t, err)
		for i, want := range []tasks.Outcome{tasks.OutcomeSucceeded, tasks.OutcomeTimedOut, tasks.OutcomeTimedOut} {
			if results[i].Outcome != want {
				t.Errorf("file %d: %+v", i+1, results[i])
			}
		}
	})
}

func TestDryRunThatIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	h := handlers.PerFile(func(ctx context.Context, _ *handlers.Job) error { cancel(); return ctx.Err() })
	results, err := DryRun{}.Run(ctx, h, testkit.WriteFileIn(t, t.TempDir(), "a", ""))
	if !errors.Is(err, context.Canceled) || results[0].Outcome != "" {
		t.Errorf("got %+v, %v", results, err)
	}
}

func TestDryRunOfAMissingFile(t *testing.T) {
	results, err := DryRun{}.Run(t.Context(), handlers.PerFile(open), filepath.Join(t.TempDir(), "none"))
	if err != nil || results[0].Outcome != tasks.OutcomeFailed || results[0].Code != handlers.CodeNotFound {
		t.Errorf("got %+v, %v", results, err)
	}
}

func open(_ context.Context, job *handlers.Job) error {
	f, err := job.Open()
	if err != nil {
		return err
	}
	return f.Close()
}
