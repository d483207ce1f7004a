package store

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// rateCrew are workers that share one limit on files a second, as the database has them and
// as they see it themselves.
type rateCrew struct {
	limits  []tasks.Limit
	now     time.Time
	members []*rateMember
}

type rateMember struct {
	row   workerRow // as the database has it
	rate  float64   // what it may use
	asked time.Time // when it asked for that
}

func newRateCrew(perSecond float64) *rateCrew {
	return &rateCrew{
		limits: []tasks.Limit{{Scope: tasks.ScopeName, Name: "s3", FilesPerSecond: perSecond}},
		now:    time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func (c *rateCrew) key() string { return c.limits[0].Key() }

// join adds a worker to which batches of the limit have come.
func (c *rateCrew) join(name string) *rateMember {
	m := &rateMember{row: workerRow{Name: name, LimitsWanted: c.key()}}
	c.see(m)
	c.members = append(c.members, m)
	return m
}

// use is what a worker starts in a second at most: nothing when its share has expired.
func (c *rateCrew) use(m *rateMember) float64 {
	if c.now.Sub(m.asked) > ledger.RateShareValid {
		return 0
	}
	return m.rate
}

// commit writes a heartbeat whose answer gives the worker a share.
func (c *rateCrew) commit(m *rateMember) ledger.LimitShare {
	row := m.row
	row.RatesInUse, row.SeenAt = encodeUse(map[string]float64{c.key(): c.use(m)}), c.now
	var live []workerRow
	for _, other := range c.members {
		if !other.row.SeenAt.Before(c.now.Add(-workerTTL)) {
			live = append(live, other.row)
		}
	}
	p := allot(c.limits, &row, live)[0]
	m.row = row
	return p
}

// see is a heartbeat.
func (c *rateCrew) see(m *rateMember) ledger.LimitShare {
	p := c.commit(m)
	m.rate, m.asked = p.Rate, c.now
	return p
}

func (c *rateCrew) sum() (all float64) {
	for _, m := range c.members {
		all += c.use(m)
	}
	return all
}

// expect checks what each worker may use.
func (c *rateCrew) expect(t *testing.T, when string, want ...float64) {
	t.Helper()
	for i, m := range c.members {
		if math.Abs(c.use(m)-want[i]) > 1e-9 {
			t.Errorf("%s, worker %s may start %g files a second, want %g", when, m.row.Name, c.use(m), want[i])
		}
	}
}

// A worker that joins gets what the others do not claim, and its whole share once they have
// reported that they use less.
func TestRateShareOfANewcomer(t *testing.T) {
	c := newRateCrew(60)
	a := c.join("a")
	c.expect(t, "alone", 60)
	b := c.join("b")
	c.expect(t, "at the start", 60, 0)
	c.see(a)
	c.expect(t, "when the first has been told", 30, 0)
	c.see(b)
	c.expect(t, "before the first has reported it", 30, 0)
	c.see(a)
	c.see(b)
	c.expect(t, "in the end", 30, 30)
	d := c.join("d")
	for range 2 {
		c.see(a)
		c.see(b)
	}
	c.see(d)
	c.expect(t, "with a third", 20, 20, 20)
}

// The share of a worker that leaves, or that no batches of the limit come to, goes to the
// others with their next heartbeat.
func TestRateShareOfAWorkerThatLeaves(t *testing.T) {
	c := newRateCrew(60)
	a, b := c.join("a"), c.join("b")
	c.see(a)
	c.see(a)
	c.see(b)
	b.row.LimitsWanted = ""
	c.see(b)
	c.see(a)
	c.expect(t, "before the idle worker has reported that it uses none", 30, 0)
	c.see(b)
	c.see(a)
	c.expect(t, "beside an idle worker", 60, 0)
	c.members = []*rateMember{b}
	b.row.LimitsWanted = c.key()
	c.see(b)
	c.expect(t, "when the other has shut down", 60)
}

// A killed worker stops using its share when the others may have it, and not before.
func TestRateShareOfAKilledWorker(t *testing.T) {
	c := newRateCrew(60)
	a, b := c.join("a"), c.join("b")
	c.see(a)
	c.see(a)
	c.see(b)
	c.now = c.now.Add(ledger.RateShareValid)
	c.see(a)
	c.expect(t, "as long as the share of the other is valid", 30, 30)
	c.now = c.now.Add(time.Microsecond)
	c.expect(t, "when its own share has expired", 30, 0)
	c.see(a)
	c.expect(t, "after that", 60, 0)
	c.see(b)
	c.expect(t, "when it was only frozen", 60, 0)
	c.see(a)
	c.see(a)
	c.see(b)
	c.expect(t, "in the end", 30, 30)
}

// A limit that changes holds once each worker has seen it.
func TestRateSharesOfAChangedLimit(t *testing.T) {
	c := newRateCrew(60)
	a, b := c.join("a"), c.join("b")
	c.see(a)
	c.see(a)
	c.see(b)
	c.limits[0].FilesPerSecond = 100
	c.see(a)
	c.see(b)
	c.expect(t, "raised", 50, 50)
	c.limits[0].FilesPerSecond = 10
	for range 2 {
		c.see(a)
		c.see(b)
	}
	if c.sum() > 10 {
		t.Errorf("lowered to 10, they may start %g files a second", c.sum())
	}
	c.see(a)
	c.see(b)
	c.expect(t, "lowered", 5, 5)
}

// What another process has written, or a worker of an older build, does not stop heartbeats;
// the use of a worker whose row is invalid counts.
func TestRateSharesBesideInvalidRows(t *testing.T) {
	c := newRateCrew(60)
	live := []workerRow{
		{Name: "x", RatesInUse: "no JSON", SeenAt: c.now},
		{Name: "y", RatesInUse: encodeUse(map[string]float64{c.key(): 20}), misread: errors.New("invalid"), DesiredState: tasks.WorkerPaused},
	}
	me := workerRow{Name: "a", LimitsWanted: c.key(), SeenAt: c.now}
	if p := allot(c.limits, &me, live)[0]; p.Rate != 40 || p.RateShare != 60 {
		t.Errorf("beside them a worker gets %+v", p)
	}
}

// Workers come, go, die, freeze, rest and lose answers in any order, and the limit changes:
// the sum of the shares that they use never exceeds the limit, and when they have settled it
// is the limit.
func TestRateSharesNeverExceedALimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := rapid.SampledFrom([]float64{0.1, 1, 50, 1e6})
		c := newRateCrew(rates.Draw(t, "limit"))
		bound := c.limits[0].FilesPerSecond // the limit, or more while not all have seen that it is lower
		for range rapid.IntRange(1, 200).Draw(t, "events") {
			name := strconv.Itoa(rapid.IntRange(0, 5).Draw(t, "worker"))
			i := slices.IndexFunc(c.members, func(m *rateMember) bool { return m.row.Name == name })
			if i < 0 {
				c.join(name)
				continue
			}
			m := c.members[i]
			switch rapid.SampledFrom([]string{"see", "see", "see", "lose", "time", "time", "want", "tire", "rest", "stop", "limit"}).Draw(t, "does") {
			case "see":
				c.see(m)
			case "lose": // the heartbeat is written, and its answer is lost
				c.commit(m)
			case "time":
				c.now = c.now.Add(time.Duration(rapid.IntRange(0, 7000).Draw(t, "ms")) * time.Millisecond)
			case "want":
				m.row.LimitsWanted = c.key()
			case "tire":
				m.row.LimitsWanted = ""
			case "rest":
				m.row.DesiredState = rapid.SampledFrom([]tasks.DesiredState{tasks.WorkerRunning, tasks.WorkerPaused}).Draw(t, "desired_state")
			case "stop":
				c.members = slices.Delete(c.members, i, i+1)
			case "limit":
				c.limits[0].FilesPerSecond = rates.Draw(t, "new limit")
			}
			bound = max(c.limits[0].FilesPerSecond, min(bound, c.sum()))
			if c.sum() > bound*(1+1e-9) {
				t.Fatalf("workers may start %g files a second under a limit of %g", c.sum(), bound)
			}
		}
		able := 0
		for range 4 {
			for _, m := range c.members {
				c.see(m)
			}
		}
		for _, m := range c.members {
			if m.row.DesiredState == tasks.WorkerRunning && m.row.LimitsWanted != "" {
				able++
			}
		}
		if want := c.limits[0].FilesPerSecond; able > 0 && math.Abs(c.sum()-want) > want*1e-9 {
			t.Fatalf("%d workers may start %g files a second under a limit of %g", able, c.sum(), want)
		}
	})
}
