package handlers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestRegistry(t *testing.T) {
	var r Registry
	testkit.Must(t, r.Register("b-1", nothing()))
	policy := tasks.BatchPolicy{MaxItems: 9}
	err := r.Register("a_2", nothing(), WithDescription("d"), WithSlots(AllSlots), WithBatchTimeout(time.Second),
		WithBatch(policy), WithRetry(tasks.RetryPolicy{Attempts: 7}), WithArgsCheck(func(any) error { return ErrFacts }))
	testkit.Must(t, err)
	if got := r.Names(); !slices.Equal(got, []string{"a_2", "b-1"}) {
		t.Errorf("names %v", got)
	}
	if _, ok := r.Lookup("c"); ok {
		t.Error("found what is not there")
	}
	b, _ := r.Lookup("b-1")
	if b.Slots != OneSlot || b.Timeouts != (Timeouts{}) || b.Retry != (tasks.RetryPolicy{Attempts: 3, Backoff: 10 * time.Second, MaxBackoff: 10 * time.Minute}) || b.CheckArgs != nil {
		t.Errorf("defaults are %+v", b)
	}
	a, _ := r.Lookup("a_2")
	if a.Name != "a_2" || a.Description != "d" || a.Slots != AllSlots || a.Timeouts != (Timeouts{Batch: time.Second}) || a.Batch != policy ||
		a.Retry != (tasks.RetryPolicy{Attempts: 7, Backoff: 10 * time.Second, MaxBackoff: 10 * time.Minute}) || !errors.Is(a.CheckArgs(nil), ErrFacts) {
		t.Errorf("got %+v", a)
	}
	if err := r.Register("a_2", nothing()); !errors.Is(err, ErrRegistered) {
		t.Errorf("twice gave %v", err)
	}
}

func TestRegisterTellsAllThatIsWrong(t *testing.T) {
	var r Registry
	err := r.Register("No Good", nil, WithSlots(0), WithTimeout(-1), WithRetry(tasks.RetryPolicy{Attempts: -1}), WithBatch(tasks.BatchPolicy{MaxItems: -1}))
	for _, part := range []string{"No Good", "lower-case", "no handler", "slots are 0", "timeout", "retry", "max_items"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("nothing of %q in %v", part, err)
		}
	}
	for _, name := range []string{"", "-a", "_a", "é", "a:b", strings.Repeat("a", 65)} {
		if err := r.Register(name, nothing()); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
	if names := r.Names(); len(names) > 0 {
		t.Errorf("registered all the same: %v", names)
	}
}

func TestSlots(t *testing.T) {
	for _, c := range []struct {
		slots      SlotUse
		total, got int
		text       string
	}{{OneSlot, 8, 1, "one"}, {AllSlots, 8, 8, "all"}, {4, 8, 4, "4"}, {9, 8, 8, "9"}, {0, 8, 1, "0"}} {
		if c.slots.Of(c.total) != c.got || c.slots.String() != c.text {
			t.Errorf("%+v: %d %s", c, c.slots.Of(c.total), c.slots)
		}
	}
}

func TestRetryDelayDoublesUpToItsBound(t *testing.T) {
	r := tasks.RetryPolicy{Attempts: 99, Backoff: 10 * time.Second, MaxBackoff: time.Minute}
	for attempt, want := range map[int]time.Duration{
		1: 10 * time.Second, 2: 20 * time.Second, 3: 40 * time.Second, 4: time.Minute, 5: time.Minute, 1 << 40: time.Minute,
	} {
		if got := r.Delay(attempt); got != want {
			t.Errorf("after attempt %d: %s, want %s", attempt, got, want)
		}
	}
	if got := (tasks.RetryPolicy{Backoff: time.Hour, MaxBackoff: time.Minute}).Delay(1); got != time.Minute {
		t.Errorf("got %s", got)
	}
}

func nothing() Handler { return HandlerFunc(func(context.Context, []*Job) error { return nil }) }

func TestCloneIsApart(t *testing.T) {
	var r Registry
	testkit.Must(t, r.Register("a", nothing()))
	c := r.Clone()
	testkit.Must(t, c.Register("b", nothing()))
	if got := c.Names(); !slices.Equal(got, []string{"a", "b"}) || len(r.Names()) != 1 {
		t.Errorf("clone has %v, the original %v", got, r.Names())
	}
	if none := (*Registry)(nil).Clone(); len(none.Names()) > 0 || none.Register("a", nothing()) != nil {
		t.Error("the clone of no registry is not empty")
	}
}

// Only a handler that can keep the time of a file is given one.
func TestTimeoutOfAFileNeedsAHandlerThatKeepsIt(t *testing.T) {
	var r Registry
	if err := r.Register("whole", nothing(), WithTimeout(time.Second)); err == nil || !strings.Contains(err.Error(), "WithBatchTimeout") {
		t.Errorf("a handler of whole batches: %v", err)
	}
	testkit.Must(t, r.Register("timed", nothing(), WithTimeout(time.Second), WithTimedFiles()))
	testkit.Must(t, r.Register("each", PerFile(func(context.Context, *Job) error { return nil }), WithTimeout(time.Second)))
	for name, want := range map[string]bool{"timed": true, "each": true} {
		if reg, _ := r.Lookup(name); reg.TimesFiles != want {
			t.Errorf("%s keeps the time of files: %v", name, reg.TimesFiles)
		}
	}
}

type closing struct {
	HandlerFunc

	err    error
	closed int
}

func (c *closing) Close() error {
	c.closed++
	return c.err
}

func TestCloseClosesHandlersThatCanBeClosed(t *testing.T) {
	t.Parallel()
	var r Registry
	well, ill := &closing{}, &closing{err: errors.New("stuck")}
	testkit.Must(t, r.Register("well", well))
	testkit.Must(t, r.Register("ill", ill))
	testkit.Must(t, r.Register("plain", nothing()))
	err := r.Close()
	if err == nil || err.Error() != "close handler ill: stuck" {
		t.Errorf("%v, want close handler ill: stuck", err)
	}
	if well.closed != 1 || ill.closed != 1 {
		t.Errorf("closed %d and %d times, want once each", well.closed, ill.closed)
	}
}
