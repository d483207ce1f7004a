package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func TestStragglersAndWaitingAreSeen(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000100, 0)
	var past []ledger.PastBatch
	for i := range 8 {
		began := now.Add(time.Duration(i-60) * time.Second)
		past = append(past, ledger.PastBatch{
			Batch: int64(i), Step: 1, Worker: "w", Items: 10, CreatedAt: began.Add(-time.Second), StartedAt: began, EndedAt: began.Add(2 * time.Second),
		})
	}
	past[7].EndedAt = now // took ten times as long
	past[0].Failed = 1
	open := []ledger.OpenBatch{{Batch: 9, Step: 1, Items: 1, CreatedAt: now.Add(-time.Second)}, {Batch: 8, Step: 1, HeldBy: "v", CreatedAt: now.Add(-time.Second)}}
	g := ganttOf(past, open, map[int]string{1: "sums"}, now)
	if g.Stragglers != 1 || len(g.Workers) != 3 || g.Workers[2].Name != waitingLane || g.Batches != 10 {
		t.Fatalf("%+v", g)
	}
	w := g.Workers[1]
	if w.Blocks[0].Tone != "bad" || w.Blocks[7].Tone != "warn" || w.Height != 2*laneHeight || w.Blocks[1].Y != laneHeight {
		t.Errorf("%+v", w)
	}
	if text := w.Blocks[0].Text; text != "batch 0, sums, 10 files: ran 2.0 s after waiting 1.0 s, 1 failed" {
		t.Error(text)
	}
	if text := g.Workers[2].Blocks[0].Text; text != "batch 9, sums, 1 file: waiting for 1.0 s" {
		t.Error(text)
	}
}

// A clock that is wrong, as of another host, makes a chart odd and not a page that fails.
func TestChartsBearWrongClocks(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000100, 0)
	slot := ledger.SlotOf(now)
	activity := []ledger.Activity{{Slot: slot - 100, Results: 9}, {Slot: slot - 1, Results: 5, Failed: 1, Finished: 5}, {Slot: slot + 90, Results: 7, Finished: 7}}
	if s := sparkOf(activity, now); s.Text != "5 results in the last 10 minutes, 1 failed" || strings.Count(s.Path, "M") != 1 {
		t.Errorf("%+v", s)
	}
	if got := speedOf(activity, now, now.Add(time.Hour)); got != 0 { // made in the future
		t.Errorf("%v files a second", got)
	}
	if got := speedOf(activity, now, now.Add(-10*time.Second)); got != .5 {
		t.Errorf("%v files a second", got)
	}
	ganttOf([]ledger.PastBatch{{StartedAt: now, EndedAt: now.Add(-time.Hour), CreatedAt: now.Add(time.Hour)}}, nil, nil, now)
	results, _ := ratesOf(activity)
	if results.Columns > chartColumns+1 || !strings.Contains(results.Text, "21 results") {
		t.Errorf("%+v", results)
	}
	if m := momentOf(now.Add(time.Hour), now); m.Words != "14 Nov 2023, 23:15" {
		t.Errorf("%+v", m)
	}
}

func TestOneAmongMillionsIsSeen(t *testing.T) {
	t.Parallel()
	b := barOf(outcomeParts(&tasks.Counts{Succeeded: 5_000_000, Failed: 1}), 5_000_001)
	if len(b.Segments) != 2 || b.Segments[1] != (segment{"bad", "99.40%", "0.60%"}) || b.Text != "5,000,000 succeeded, 1 failed" {
		t.Errorf("%+v", b)
	}
}

// The progress of a transfer shows how its files have ended; canceled files did not succeed.
func TestProgressShowsHowFilesHaveEnded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of       tasks.Transfer
		segments []segment
		text     string
	}{
		{
			tasks.Transfer{State: tasks.StateRunning, Files: 10, Finished: 6, Steps: []tasks.StepProgress{
				{Number: 1, Selected: 10, Counts: tasks.Counts{Succeeded: 7, Failed: 1, Canceled: 1}},
				{Number: 2, Selected: 7, Counts: tasks.Counts{Succeeded: 3, Canceled: 1}},
			}},
			[]segment{{"busy", "0.00%", "30.00%"}, {"bad", "30.00%", "10.00%"}, {"off", "40.00%", "20.00%"}}, "6 of 10 files finished",
		},
		{ // some of those that failed run again, and their results are not counted any more
			tasks.Transfer{State: tasks.StateRunning, Files: 10, Finished: 8, Steps: []tasks.StepProgress{
				{Number: 1, Selected: 10, Counts: tasks.Counts{Succeeded: 8}},
			}},
			[]segment{{"busy", "0.00%", "80.00%"}}, "8 of 10 files finished",
		},
		{ // it was canceled before its files had ended
			tasks.Transfer{State: tasks.StateCanceled, Files: 10, Finished: 4, Steps: []tasks.StepProgress{
				{Number: 1, Selected: 10, Counts: tasks.Counts{Succeeded: 2, Failed: 2}},
			}},
			[]segment{{"good", "0.00%", "20.00%"}, {"bad", "20.00%", "20.00%"}}, "4 of 10 files finished",
		},
		{ // counters that contradict each other do not make the bar longer than it is
			tasks.Transfer{State: tasks.StateCompleted, Files: 10, Finished: 3, Steps: []tasks.StepProgress{
				{Number: 1, Selected: 10, Counts: tasks.Counts{Failed: 2, Canceled: 8}},
			}},
			[]segment{{"bad", "0.00%", "20.00%"}, {"off", "20.00%", "10.00%"}}, "3 of 10 files finished",
		},
	} {
		if b := progressOfFiles(&c.of); fmt.Sprint(b.Segments) != fmt.Sprint(c.segments) || b.Text != c.text {
			t.Errorf("%+v: %v, %q", c.of, b.Segments, b.Text)
		}
	}
}
