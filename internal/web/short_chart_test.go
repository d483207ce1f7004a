package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// A transfer of seconds has a chart of its batches: each one's results over the time that it ran.
func TestShortTransfersHaveChartsOfBatches(t *testing.T) {
	t.Parallel()
	began := time.Unix(1700000003, 0)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	past := []ledger.PastBatch{
		{StartedAt: at(0), EndedAt: at(1000), Items: 100, Bytes: 1 << 20},
		{StartedAt: at(1000), EndedAt: at(1200), Items: 60, Failed: 30, Bytes: 0},
		{Items: 7}, // no file of it began
	}
	activity := []ledger.Activity{{Slot: ledger.SlotOf(began), Results: 160}}
	if !isShort(activity, past) {
		t.Error("it is short")
	}
	results, bytes := ratesOfBatches(past)
	if results.Columns != 25 || results.Most != "300 results/s" || results.From != "22:13:23.000" || bytes.Most != "1.0 MiB/s" {
		t.Errorf("%+v\n%+v", results, bytes)
	}
	if n, bad := strings.Count(results.Path, "M"), strings.Count(results.BadPath, "M"); n != 24 || bad != 4 || strings.Count(bytes.Path, "M") != 20 {
		t.Errorf("%d columns, %d with failures; bytes: %s", n, bad, bytes.Path)
	}
	if want := "M20 100V0h.85V100z"; !strings.Contains(results.Path, want) || !strings.HasPrefix(results.Path, "M0 100V66.67h.85V100z") {
		t.Errorf("%s has no %s", results.Path, want)
	}
	if !strings.HasPrefix(results.Text, "160 results from 22:13:23.000 to ") {
		t.Error(results.Text)
	}
}

func TestWhichTransfersAreShort(t *testing.T) {
	t.Parallel()
	one := []ledger.PastBatch{{}}
	for _, c := range []struct {
		slots []int64
		past  []ledger.PastBatch
		short bool
	}{
		{nil, one, false}, {[]int64{5}, nil, false}, {[]int64{5}, one, true}, {[]int64{5, 16}, one, true}, {[]int64{5, 17}, one, false},
		{[]int64{5}, make([]ledger.PastBatch, shownBatches), false}, // older ones are not shown
	} {
		var activity []ledger.Activity
		for _, s := range c.slots {
			activity = append(activity, ledger.Activity{Slot: s})
		}
		if isShort(activity, c.past) != c.short {
			t.Errorf("%v, %d batches: want %v", c.slots, len(c.past), c.short)
		}
	}
}

// Clocks that are wrong make an odd chart, and no page that fails or takes long.
func TestShortChartsBearWrongClocks(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000003, 0)
	for name, past := range map[string][]ledger.PastBatch{
		"none":         nil,
		"not begun":    {{Items: 1}},
		"at once":      {{StartedAt: now, EndedAt: now, Items: 3}},
		"ends before":  {{StartedAt: now, EndedAt: now.Add(-time.Hour), Items: 3}},
		"years":        {{StartedAt: now, EndedAt: now.AddDate(90, 0, 0), Items: 3}, {StartedAt: now, EndedAt: now, Items: 1}},
		"never ended":  {{StartedAt: now, Items: 3}},
		"no ms at all": {{StartedAt: now, EndedAt: now.Add(time.Nanosecond), Items: 3}, {StartedAt: now.Add(time.Hour), EndedAt: now, Items: 4}},
	} {
		results, bytes := ratesOfBatches(past)
		if results.Columns > shortColumns+1 || bytes.Columns != results.Columns || strings.Contains(fmt.Sprint(results, bytes), "NaN") {
			t.Errorf("%s: %+v", name, results)
		}
	}
}

// A high rate has no digit that means nothing.
func TestRatesOfResultsAreRounded(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]string{18029.63: "18,030 results/s", 8.64: "8.6 results/s", 300: "300 results/s"} {
		if got := resultRate(rate); got != want {
			t.Errorf("%v is shown as %s, not %s", rate, got, want)
		}
	}
}

// Time without a worker can be told from its time in the queue, beside which it often stands.
func TestWaitingForWorkersHasAToneOfItsOwn(t *testing.T) {
	t.Parallel()
	css, err := embedded.ReadFile("assets/baler.css")
	if err != nil {
		t.Fatal(err)
	}
	tone := toneOfTime(tasks.TimeNoWorker)
	for _, part := range []tasks.TimePart{tasks.TimeQueue, tasks.TimeRetry, tasks.TimeHandler, tasks.TimeNoBatch, tasks.TimeCommits} {
		if toneOfTime(part) == tone {
			t.Errorf("%s and %s have the tone %s", tasks.TimeNoWorker, part, tone)
		}
	}
	for _, rule := range []string{"." + tone + " { --tone: ", "rect." + tone + ",", ".legend .wait::before { opacity"} {
		if !strings.Contains(string(css), rule) {
			t.Errorf("the style sheet has no %s", rule)
		}
	}
}
