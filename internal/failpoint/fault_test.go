package failpoint

import (
	"errors"
	"testing"
)

func TestPlans(t *testing.T) {
	for text, want := range map[string]Fault{
		"":                             {},
		"kill@batch-closed":            {action: kill, at: BatchClosed, call: 1},
		"stop@handler-halfway:30":      {action: stop, at: HandlerHalfway, call: 30},
		"wait@set-taken:2:/tmp/a:b @c": {action: hold, at: SetTaken, call: 2, file: "/tmp/a:b @c"},
	} {
		if got, err := parse(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"kill", "kill@", "kill@nowhere", "explode@sealed", "kill@sealed:0", "kill@sealed:x", "wait@sealed", "wait@sealed:1", "kill@sealed:1:/f",
	} {
		if got, err := parse(text); !errors.Is(err, errFault) {
			t.Errorf("%q: %+v, %v; want a complaint", text, got, err)
		}
	}
}
