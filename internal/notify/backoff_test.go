package notify

import (
	"errors"
	"testing"
	"time"
)

func TestBackoffDoublesToAnHour(t *testing.T) {
	broken := errors.New("broken")
	for attempt, whole := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 12: 2048 * time.Second, 13: time.Hour, 14: time.Hour, 1 << 40: time.Hour,
	} {
		for range 1000 {
			got := decideNext(broken, attempt, 0).delay
			if got < time.Second || got < whole/2 || got > whole {
				t.Fatalf("after attempt %d: %s of %s", attempt, got, whole)
			}
		}
	}
}

func TestMessagesAreGivenUpAfterADay(t *testing.T) {
	broken := errors.New("broken")
	if p := decideNext(nil, 99, 48*time.Hour); p != (nextAttempt{result: delivered}) {
		t.Errorf("a delivery, however late: %+v", p)
	}
	if p := decideNext(broken, 1, 24*time.Hour-time.Second); p != (nextAttempt{failed, time.Second}) {
		t.Errorf("a first failure with a second left: %+v", p)
	}
	for _, age := range []time.Duration{24*time.Hour - time.Second + 1, 48 * time.Hour} {
		if p := decideNext(broken, 1, age); p != (nextAttempt{result: givenUp}) {
			t.Errorf("at %s: %+v", age, p)
		}
	}
	// The number of attempts within a day is limited.
	age, attempts := time.Duration(0), 0
	for p := decideNext(broken, 1, 0); p.result == failed && attempts < 1000; p = decideNext(broken, attempts+1, age) {
		age += p.delay
		attempts++
	}
	if attempts < 30 || attempts > 70 {
		t.Errorf("%d attempts", attempts)
	}
}
