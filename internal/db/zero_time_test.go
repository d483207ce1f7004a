package db

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// A query without a first time has the zero time, and so has what was never started. Every
// database takes it, compares with it, and gives it back.
func TestZeroTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		_, err := b.Migrate(t.Context())
		testkit.Must(t, err)
		s := b.Session(t.Context())
		testkit.Must(t, s.Exec("INSERT INTO paused_queues (name, paused_at) VALUES (?, ?), (?, ?)",
			"never", time.Time{}, "now", b.Now()).Error)
		var never time.Time
		testkit.Must(t, s.Raw("SELECT paused_at FROM paused_queues WHERE paused_at = ?", time.Time{}).Scan(&never).Error)
		if !never.IsZero() {
			t.Errorf("the zero time comes back as %v", never)
		}
		var since int
		testkit.Must(t, s.Raw("SELECT COUNT(*) FROM paused_queues WHERE paused_at >= ?", time.Time{}).Scan(&since).Error)
		if since != 2 {
			t.Errorf("%d of 2 rows are since the zero time", since)
		}
	})
}
