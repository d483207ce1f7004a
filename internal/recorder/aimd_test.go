package recorder

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// database is one whose commits take longer the more run at once, once it is
// slowed down.
type database struct {
	t     time.Time
	tempo *aimd
}

func newDatabase(most int) *database { return &database{time.Unix(1_000_000, 0), newAIMD(most)} }

// commits lets time pass while commits of 500 results take that long.
func (d *database) commits(lasting, took time.Duration) (lowered int) {
	for end := d.t.Add(lasting); d.t.Before(end); {
		d.t = d.t.Add(took)
		if d.tempo.committed(500, took, d.t) {
			lowered++
		}
	}
	return lowered
}

func TestAIMDStaysHighWhileCommitsAreNormal(t *testing.T) {
	d := newDatabase(8)
	for i := range 2000 {
		took := 20 * time.Millisecond
		switch {
		case i%10 == 0:
			took = 120 * time.Millisecond // a hiccup
		case i%3 == 0:
			took = 45 * time.Millisecond
		}
		d.t = d.t.Add(took)
		d.tempo.committed(500, took, d.t)
		if d.tempo.limit != 8 {
			t.Fatalf("the limit fell to %g at commit %d", d.tempo.limit, i)
		}
	}
}

func TestAIMDFallsFastAndRisesSlowly(t *testing.T) {
	d := newDatabase(8)
	d.commits(10*time.Second, 30*time.Millisecond)
	if n := d.commits(4*time.Second, 300*time.Millisecond); n < 3 || d.tempo.limit != 1 {
		t.Fatalf("lowered %d times, to %g, when commits took ten times as long", n, d.tempo.limit)
	}
	if got := d.tempo.of(2); got != 1 {
		t.Errorf("of 2 flushers %d are left", got)
	}
	d.commits(3*time.Second, 30*time.Millisecond)
	if d.tempo.limit < 2 || d.tempo.limit > 5 {
		t.Errorf("the limit is %g three seconds after the database has recovered", d.tempo.limit)
	}
	d.commits(10*time.Second, 30*time.Millisecond)
	if d.tempo.limit != 8 {
		t.Errorf("the limit is %g long after the database has recovered", d.tempo.limit)
	}
}

// A database that has become slower for good is not taken for a busy one.
func TestAIMDLearnsANewNormal(t *testing.T) {
	d := newDatabase(4)
	d.commits(10*time.Second, 30*time.Millisecond)
	d.commits(5*time.Second, 200*time.Millisecond)
	if d.tempo.limit > 2 {
		t.Fatalf("the limit is %g", d.tempo.limit)
	}
	d.commits(2*time.Minute, 200*time.Millisecond)
	if d.tempo.limit != 4 {
		t.Errorf("the limit is still %g after two minutes", d.tempo.limit)
	}
}

func TestAIMDFallsOnConflicts(t *testing.T) {
	d := newDatabase(8)
	if !d.tempo.onContention(ReasonConflicts, d.t) || d.tempo.limit != 6 {
		t.Errorf("after a conflict the limit is %g", d.tempo.limit)
	}
	if d.tempo.onContention(ReasonRejected, d.t) {
		t.Error("lowered again before the first time could show")
	}
	for range 10 {
		d.t = d.t.Add(time.Minute)
		d.tempo.onContention(ReasonRejected, d.t)
	}
	if d.tempo.limit != 1 {
		t.Errorf("the limit is %g while the database is unavailable", d.tempo.limit)
	}
}

func TestAIMDKeepsItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(0, 40).Draw(t, "most")
		d := newDatabase(most)
		for range rapid.IntRange(1, 200).Draw(t, "commits") {
			d.t = d.t.Add(rapid.Custom(func(t *rapid.T) time.Duration {
				return time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond
			}).Draw(t, "pause"))
			if rapid.IntRange(0, 9).Draw(t, "trouble") == 0 {
				d.tempo.onContention(ReasonConflicts, d.t)
			}
			took := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "took"))
			d.tempo.committed(rapid.IntRange(0, 5000).Draw(t, "results"), took, d.t)
			n := rapid.IntRange(1, 16).Draw(t, "flushers")
			if got := d.tempo.of(n); got < 1 || got > n || d.tempo.limit < 1 || d.tempo.limit > float64(max(most, 1)) {
				t.Fatalf("%d of %d, limit %g of %d", got, n, d.tempo.limit, most)
			}
		}
	})
}
