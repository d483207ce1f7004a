package cost

import (
	"strconv"
	"testing"
	"time"
)

type hand struct{ t time.Time }

func (h *hand) now() time.Time { return h.t }

func newTestSizer() (*Model, *hand) {
	h := &hand{time.Unix(1_000_000, 0)}
	return NewModel("me", h.now), h
}

func TestModelAddsUpTheStatsOfWorkers(t *testing.T) {
	s, h := newTestSizer()
	k := Key{Handler: "thumbnail", With: "1"}
	if e := s.Estimate(k); e.Known {
		t.Errorf("%+v is known of nothing", e)
	}
	s.Observe(k, 10, 0, time.Second)
	theirs := Observations{Key: k, Worker: "other", At: h.t}
	theirs.Add(10, 0, 3)
	mine := theirs
	mine.Worker = "me" // what the database has of this worker, it knows better
	s.Merge([]Observations{theirs, mine})
	near(t, "the cost of a file", s.Estimate(k).PerFile, 0.2, 0.01)
	if e := s.Estimate(Key{Handler: "thumbnail", With: "2"}); e.Known {
		t.Errorf("other arguments cost %+v", e)
	}
}

// Old observations weigh little beside new ones, and fully without new ones.
func TestModelForgetsOldStats(t *testing.T) {
	s, h := newTestSizer()
	k := Key{Handler: "thumbnail"}
	old := Observations{Key: k, Worker: "dead", At: h.t.Add(-24 * time.Hour)}
	old.Add(10, 0, 9)
	s.Merge([]Observations{old})
	near(t, "the cost of a file long ago", s.Estimate(k).PerFile, 0.9, 0.01)
	s.Observe(k, 10, 0, time.Second)
	near(t, "the cost of a file now", s.Estimate(k).PerFile, 0.1, 0.01)
}

func TestModelContinuesTheStatsOfItsName(t *testing.T) {
	s, h := newTestSizer()
	k := Key{Handler: "thumbnail"}
	before := Observations{Key: k, Worker: "me", At: h.t}
	for range 50 {
		before.Add(10, 0, 1)
	}
	s.Merge([]Observations{before})
	s.Observe(k, 10, 0, 2*time.Second)
	if c := s.Estimate(k).PerFile; c > 0.12 {
		t.Errorf("one batch made a file cost %g", c)
	}
}

func TestModelGivesEachChangeOnce(t *testing.T) {
	s, _ := newTestSizer()
	s.Observe(Key{Handler: "a"}, 1, 0, time.Second)
	s.Observe(Key{Handler: "b"}, 1, 0, time.Second)
	select {
	case <-s.Changed():
	default:
		t.Error("a first batch is no news")
	}
	changes := s.TakeChanged()
	if len(changes) != 2 || changes[0].Worker != "me" || len(s.TakeChanged()) > 0 {
		t.Errorf("changes are %+v", changes)
	}
	s.MarkChanged(changes[:1])
	if again := s.TakeChanged(); len(again) != 1 || again[0].Key != changes[0].Key {
		t.Errorf("after one could not be given away: %+v", again)
	}
}

func TestModelIsBounded(t *testing.T) {
	s, h := newTestSizer()
	for i := range 2 * maxCostKeys {
		h.t = h.t.Add(time.Second)
		s.Observe(Key{Handler: "a", With: strconv.Itoa(i)}, 1, 0, time.Second)
	}
	n := 0
	s.Each(func(Key, Estimate) { n++ })
	if n != maxCostKeys || !s.Estimate(Key{Handler: "a", With: strconv.Itoa(2*maxCostKeys - 1)}).Known {
		t.Errorf("%d kinds are remembered", n)
	}
}
