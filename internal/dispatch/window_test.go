package dispatch

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func TestWindowGrowsWhenWorkersEmptyItAndShrinksOtherwise(t *testing.T) {
	var p windowControl
	if got := p.room(0, 4, 64, shared{}); got != 10 {
		t.Fatalf("first room is %d, want twice the slots and two", got)
	}
	p.inputLimited = true
	for _, want := range []int{20, 40, 64, 64} {
		if p.room(0, 4, 64, shared{}); p.window != want {
			t.Fatalf("the window is %d after workers emptied it, want %d", p.window, want)
		}
	}
	for range 100 {
		p.room(p.window, 4, 64, shared{})
	}
	if p.window != 10 {
		t.Errorf("the window is %d after workers were slow for long, want 10", p.window)
	}
}

// One transfer keeps all workers of a large fleet busy, whatever the window's limit.
func TestWindowOfAFleet(t *testing.T) {
	var p windowControl
	if got := p.room(0, 4000, 64, shared{}); got != 8002 {
		t.Errorf("the room is %d for 4000 slots, want 8002", got)
	}
	if got := p.room(0, 0, 64, shared{}); got != 64 {
		t.Errorf("the room is %d for an unknown number of slots, want 64", got)
	}
}

func TestWindowKeepsItsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p windowControl
		for range rapid.IntRange(1, 50).Draw(t, "looks") {
			most := rapid.IntRange(1, 100).Draw(t, "most")
			open := rapid.IntRange(0, 200).Draw(t, "open")
			slots := rapid.IntRange(0, 40).Draw(t, "slots")
			room := p.room(open, slots, most, shared{})
			if slots > 0 {
				most = max(most, 2*slots+2)
			}
			p.inputLimited = rapid.Bool().Draw(t, "filled")
			if room < 0 || room+open > max(most, open) && p.window <= most {
				t.Fatalf("room for %d beside %d open ones with at most %d", room, open, most)
			}
			if open == 0 && room == 0 {
				t.Fatal("an empty window has no room")
			}
		}
	})
}

func TestFilesWaitForOthersUnlessTheTransferIsSealed(t *testing.T) {
	var p windowControl
	policy := tasks.BatchPolicy{MaxItems: 10, MaxDelay: time.Second}
	now := time.Unix(1000, 0)
	b := &ledger.Backlog{Files: 7}
	for _, c := range []struct {
		name   string
		files  int64
		cursor int64
		sealed bool
		after  time.Duration
		want   int
	}{
		{"the first wait", 7, 0, false, 0, 0},
		{"they still do", 9, 0, false, 900 * time.Millisecond, 0},
		{"a full batch goes", 25, 0, false, 950 * time.Millisecond, 20},
		{"the other files begin to wait", 25, 20, false, time.Second, 0},
		{"until its delay is over", 25, 20, false, 2 * time.Second, 5},
		{"the next wait", 28, 25, false, 2 * time.Second, 0},
		{"nothing waits once it is sealed", 28, 25, true, 2 * time.Second, 3},
	} {
		b.Files, b.Cursor, b.Sealed = c.files, c.cursor, c.sealed
		if got := p.readyFiles(b, policy, now.Add(c.after)); got != c.want {
			t.Errorf("%s: %d files are ready, want %d", c.name, got, c.want)
		}
	}
}
