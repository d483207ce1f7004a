package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// The failures of a transfer are counted once after its end, and again after another end.
func TestFailuresAreKeptWhileTheyCannotChange(t *testing.T) {
	t.Parallel()
	reads := 0
	var broken error
	read := func(context.Context, int64, tasks.ResultSelector, int) ([]tasks.FailureGroup, error) {
		reads++
		return []tasks.FailureGroup{{Files: int64(reads)}}, broken
	}
	var k keptFailures
	ask := func(tr tasks.Transfer, f tasks.ResultSelector, want int64) {
		t.Helper()
		groups, err := k.get(t.Context(), &tr, &f, 10, read)
		testkit.Must(t, err)
		if groups[0].Files != want {
			t.Errorf("groups of read %d, want %d", groups[0].Files, want)
		}
	}
	ended := tasks.Transfer{UUID: "a", State: tasks.StateCompleted, EndedAt: time.Unix(1700000000, 0)}
	ask(ended, tasks.ResultSelector{}, 1)
	ask(ended, tasks.ResultSelector{}, 1)
	ask(ended, tasks.ResultSelector{Code: "x"}, 2)
	ask(ended, tasks.ResultSelector{Message: "x"}, 3)
	running := tasks.Transfer{UUID: "a", State: tasks.StateRunning}
	ask(running, tasks.ResultSelector{}, 4)
	ask(running, tasks.ResultSelector{}, 5)
	again := ended
	again.EndedAt = ended.EndedAt.Add(time.Microsecond)
	ask(again, tasks.ResultSelector{}, 6)
	other := ended
	other.UUID = "b"
	broken = errors.New("away")
	if _, err := k.get(t.Context(), &other, &tasks.ResultSelector{}, 10, read); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	broken = nil
	ask(other, tasks.ResultSelector{}, 8)
	for i := range mostKept {
		ask(other, tasks.ResultSelector{File: int64(i + 1)}, int64(9+i))
	}
	if len(k.all) > mostKept {
		t.Errorf("%d answers are kept", len(k.all))
	}
}
