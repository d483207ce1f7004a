package systemtest

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A worker whose clock is too far from that of Redis returns an error and does not start:
// asynq would count its batches, or those of others, as lost.
func TestWorkerWithAWrongClockDoesNotStart(t *testing.T) {
	t.Parallel()
	c := servers(t)
	for name, test := range map[string]struct {
		ahead time.Duration
		says  string
	}{
		"ahead": {time.Minute, "1m0s ahead of that of Redis"}, "behind": {-2 * time.Minute, "2m0s behind that of Redis"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := baler.Open(t.Context(), c, baler.Options{
				Registry: builtin.Registry(), HostClock: func() time.Time { return time.Now().Add(test.ahead) },
			})
			testkit.Must(t, err)
			testkit.CloseAtEnd(t, b)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err = b.Work(ctx)
			var skew *queue.ClockSkewError
			if !errors.As(err, &skew) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "NTP") {
				t.Errorf("it ended with %v", err)
			}
			if workers, err := b.Workers(t.Context()); err != nil || len(workers) > 0 {
				t.Errorf("workers %+v, %v", workers, err)
			}
		})
	}
}

// Clocks that differ within the limit do not delay a transfer.
func TestWorkersWhoseClocksDiffer(t *testing.T) {
	t.Parallel()
	c := servers(t)
	for _, ahead := range []time.Duration{-8 * time.Second, 8 * time.Second} {
		c.Worker.Name = "worker" + ahead.String()
		b, err := baler.Open(t.Context(), c, baler.Options{
			Registry: builtin.Registry(), HeartbeatInterval: 250 * time.Millisecond, HostClock: func() time.Time { return time.Now().Add(ahead) },
		})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, b)
		work(t, b)
	}
	c.Worker.Name = "client"
	b := open(t, c, nil)
	eventually(t, func() error {
		workers, err := b.Workers(t.Context())
		if err == nil && len(workers) != 2 {
			err = errors.New("not both workers are listed")
		}
		return err
	})
	tr := wait(t, b, submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 30)}, Recipe: builtinRecipe(t, "checksum")}).UUID)
	audit(t, b, tr)
	if took := tr.EndedAt.Sub(tr.CreatedAt); took < 0 || took > time.Minute {
		t.Errorf("it took %s", took)
	}
}

// When somebody sets the clock of the host during a transfer, its duration stays correct.
func TestRunWhileTheClockIsSet(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := t.TempDir()
		testkit.WriteTree(t, root, "a")
		var set atomic.Int64
		reg := &handlers.Registry{}
		testkit.Must(t, reg.Register("sets", handlers.PerFile(func(context.Context, *handlers.Job) error {
			set.Store(int64(24 * time.Hour))
			return nil
		})))
		b, err := baler.Open(t.Context(), c, baler.Options{
			Registry: reg, Now: func() time.Time { return time.Now().Add(time.Duration(set.Load())) },
		})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, b)
		ran, err := b.Run(t.Context(), baler.Submission{Paths: []string{root}, Recipe: yaml(t, "name: x\nsteps:\n  - handler: sets\n")})
		testkit.Must(t, err)
		again, err := b.Transfer(t.Context(), ran.Transfer.UUID)
		testkit.Must(t, err)
		elsewhere, err := open(t, c, nil).Transfer(t.Context(), ran.Transfer.UUID) // as another process reads it
		testkit.Must(t, err)
		for _, tr := range []tasks.Transfer{ran.Transfer, again, elsewhere} {
			if s := tasks.Summarize(&tr, time.Now()); s.Seconds <= 0 || s.Seconds > 3600 {
				t.Errorf("it took %v s", s.Seconds)
			}
		}
	})
}
