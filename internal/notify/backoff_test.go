package notify

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPauseDoublesToAnHour(t *testing.T) {
	for try, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 12: 2048 * time.Second, 13: time.Hour, 14: time.Hour, 1 << 40: time.Hour,
	} {
		if got := pauseAfter(try, 0); got != want {
			t.Errorf("after try %d: %s, want %s", try, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		try, jitter := rapid.IntRange(1, 1000).Draw(t, "try"), rapid.Float64Range(0, 1).Draw(t, "jitter")
		whole, got := pauseAfter(try, 0), pauseAfter(try, jitter)
		if got < time.Second || got < whole/2 || got > whole {
			t.Errorf("after try %d with jitter %f: %s of %s", try, jitter, got, whole)
		}
	})
}

func TestMessagesAreGivenUpAfterADay(t *testing.T) {
	broken := errors.New("broken")
	if p := planAfter(nil, 99, 48*time.Hour); p != (nextAttempt{result: delivered}) {
		t.Errorf("a delivery, however late: %+v", p)
	}
	if p := planAfter(broken, 1, 24*time.Hour-time.Second); p != (nextAttempt{failed, time.Second}) {
		t.Errorf("a first failure with a second left: %+v", p)
	}
	for _, age := range []time.Duration{24*time.Hour - time.Second + 1, 48 * time.Hour} {
		if p := planAfter(broken, 1, age); p != (nextAttempt{result: givenUp}) {
			t.Errorf("at %s: %+v", age, p)
		}
	}
	// The tries that a day has room for are not endless.
	age, tries := time.Duration(0), 0
	for p := planAfter(broken, 1, 0); p.result == failed && tries < 1000; p = planAfter(broken, tries+1, age) {
		age += p.again
		tries++
	}
	if tries < 30 || tries > 70 {
		t.Errorf("%d tries", tries)
	}
}
