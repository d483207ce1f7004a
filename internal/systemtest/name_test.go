package systemtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A second worker of the same name does not start: limits are shared by name, and a worker
// that stops would remove the other's row.
func TestTwoWorkersOfOneName(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Name = "twin"
		first, second := open(t, c, nil), open(t, c, nil)
		stop := work(t, first)
		seen := func(n int) {
			t.Helper()
			eventually(t, func() error {
				ws, err := first.Workers(t.Context())
				if err == nil && len(ws) != n {
					err = errors.New("the list of workers is wrong")
				}
				return err
			})
		}
		seen(1)
		err := second.Work(t.Context())
		var exists *store.WorkerExistsError
		if !errors.As(err, &exists) || !strings.Contains(err.Error(), "BALER_WORKER_NAME") {
			t.Errorf("the second one ended with %v", err)
		}
		seen(1)
		stop()
		seen(0)
		work(t, second) // the name is free
		seen(1)
	})
}

// After a crash, a new worker takes the name as soon as the dead one has missed some
// heartbeats.
func TestWorkerReplacesADeadOneOfItsName(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Name = "phoenix"
		b := open(t, c, nil)
		s, err := store.Open(t.Context(), c.Database.URL, store.Options{})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, s)
		_, err = s.HeartbeatWorker(t.Context(), tasks.Worker{Name: "phoenix", StartedAt: time.Now()}, "dead")
		testkit.Must(t, err)
		work(t, b)
		eventually(t, func() error {
			ws, err := b.Workers(t.Context())
			if err == nil && (len(ws) != 1 || len(ws[0].Handlers) == 0) {
				err = errors.New("the new worker is not in the list")
			}
			return err
		})
	})
}
