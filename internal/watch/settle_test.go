package watch

import (
	"testing"
	"time"
)

func TestAnEntrySettlesWhenItStaysTheSame(t *testing.T) {
	t.Parallel()
	s, now := newSettling(10*time.Second), time.Now()
	at := func(after time.Duration, fingerprint string, marked bool) bool {
		s.begin()
		defer s.end()
		return s.see(&entry{path: "a", fingerprint: fingerprint, marked: marked}, now.Add(after))
	}
	for _, c := range []struct {
		after       time.Duration
		fingerprint string
		marked      bool
		want        bool
	}{
		{0, "1", true, false}, {9 * time.Second, "1", true, false}, {9 * time.Second, "2", true, false}, {18 * time.Second, "2", true, false},
		{19 * time.Second, "2", false, false}, {19 * time.Second, "2", true, true}, {20 * time.Second, "2", true, true},
	} {
		if got := at(c.after, c.fingerprint, c.marked); got != c.want {
			t.Errorf("after %s with %s: settled %v", c.after, c.fingerprint, got)
		}
	}
	s.begin()
	s.end() // it is gone
	if s.waiting() != 0 || at(30*time.Second, "2", true) {
		t.Error("what comes back settles anew")
	}
}

func TestNoMoreEntriesSettleThanFit(t *testing.T) {
	t.Parallel()
	s := newSettling(0)
	for i := range maxSettling {
		s.see(&entry{path: time.Duration(i).String(), marked: true}, time.Now())
	}
	if s.see(&entry{path: "more", marked: true}, time.Now()) || s.waiting() != maxSettling {
		t.Errorf("%d entries settle", s.waiting())
	}
	s.forget(time.Duration(0).String())
	if !s.see(&entry{path: "more", marked: true}, time.Now()) {
		t.Error("an entry waits though there is room")
	}
}
