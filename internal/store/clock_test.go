package store

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// off opens the database on a host whose clock is that far ahead.
func (b *env) off(t *testing.T, ahead time.Duration) *Store {
	t.Helper()
	s, err := Open(t.Context(), b.url, db.Options{HostClock: func() time.Time { return time.Now().Add(ahead) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A process goes by the database's time, however wrong the clock of its host is.
func TestWrongHostClocks(t *testing.T) {
	t.Parallel()
	b := migrated(t, db.MySQL, "")
	fast, slow := b.off(t, 8*time.Minute), b.off(t, -2*time.Minute)
	for name, s := range map[string]*Store{"fast": fast, "slow": slow} {
		if off := time.Since(s.Now()); off.Abs() > time.Minute {
			t.Errorf("the %s host is %s off", name, off)
		}
		if _, err := s.HeartbeatWorker(t.Context(), tasks.Worker{Name: name, StartedAt: s.Now()}, name); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range map[string]*Store{"fast": fast, "slow": slow} {
		if ws, err := s.Workers(t.Context()); err != nil || len(ws) != 2 {
			t.Errorf("the %s host sees %+v, %v", name, ws, err)
		}
	}
	// The leader whose clock ran ahead has died: its lease ends all the same.
	held, err := fast.AcquireLease(t.Context(), "dispatcher", "fast", time.Minute)
	if err != nil || !held {
		t.Fatalf("held %v, %v", held, err)
	}
	if n := b.count(t, "leases", "until BETWEEN UTC_TIMESTAMP(6) AND UTC_TIMESTAMP(6) + INTERVAL 1 MINUTE"); n != 1 {
		t.Error("the lease does not end within a minute")
	}
	if held, err := slow.AcquireLease(t.Context(), "dispatcher", "slow", time.Minute); err != nil || held {
		t.Errorf("the slow host holds it too: %v, %v", held, err)
	}
}
