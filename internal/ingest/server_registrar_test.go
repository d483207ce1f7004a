package ingest

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// A transfer whose files cannot be registered is not tried for ever: it is stopped, with the
// reason, until a person resumes it.
func TestServerStopsATransferThatItCannotRegister(t *testing.T) {
	t.Parallel()
	s, err := store.Open(t.Context(), testkit.SQLite(t), store.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s)
	_, err = s.Migrate(t.Context())
	testkit.Must(t, err)
	tr, _, err := s.Create(t.Context(), store.NewTransfer{
		Name: "x", Via: tasks.ViaBulk, Queue: tasks.DefaultQueue, Recipe: "name: x\nsteps:\n  - handler: noop\n", Sources: []string{t.TempDir()},
		Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}}, Intake: ledger.IntakeServer,
	})
	testkit.Must(t, err)
	ingester := New(Options{
		Store: s, Log: slog.New(slog.DiscardHandler),
		Transfers: dispatch.NewTransferCache(s.TransferByID, func(*recipe.Step) tasks.BatchPolicy { return tasks.BatchPolicy{} }),
	})
	fails := true
	r := NewServerRegistrar(ingester, func(*recipe.Recipe, string, []string) (map[string]bool, error) {
		if fails {
			return nil, errors.New("the final step has no place")
		}
		return map[string]bool{}, nil
	})
	for try := 1; try <= registerAttempts; try++ {
		r.register(t.Context(), tr)
		now, err := s.Transfer(t.Context(), tr.UUID)
		testkit.Must(t, err)
		stopped := !now.PausedAt.IsZero() && strings.Contains(now.Trouble, "its files cannot be registered: the final step has no place")
		if stopped != (try == registerAttempts) {
			t.Errorf("after %d attempts it is paused at %v because of %q", try, now.PausedAt, now.Trouble)
		}
	}
	if left, err := s.ServerIntake(t.Context(), 10); err != nil || len(left) > 0 {
		t.Errorf("still to be registered: %v, %v", left, err)
	}
	fails = false
	if resumed, err := s.Resume(t.Context(), tr.ID); err != nil || !resumed {
		t.Fatalf("resumed %v, %v", resumed, err)
	}
	r.register(t.Context(), tr)
	if now, err := s.Transfer(t.Context(), tr.UUID); err != nil || now.State == tasks.StateOpen || now.Trouble != "" {
		t.Errorf("in the end it is %s, %q, %v", now.State, now.Trouble, err)
	}
}
