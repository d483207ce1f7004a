package tasks_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func transfer() *tasks.Transfer {
	created := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return &tasks.Transfer{
		ID:        12,
		UUID:      "0195506f-8c00-7000-8000-000000000001",
		State:     tasks.StateCompleted,
		Files:     1000,
		Bytes:     5_000_000,
		Finished:  1000,
		CreatedAt: created,
		SealedAt:  created.Add(time.Second),
		EndedAt:   created.Add(3*time.Second + 300*time.Microsecond),
		Steps: []tasks.StepProgress{
			{Number: 1, Name: "checksum", Selected: 1000, Counts: tasks.Counts{Succeeded: 990, Failed: 7, Error: 2, TimedOut: 1}},
			{Number: 2, Name: "identify", Selected: 990, Counts: tasks.Counts{Succeeded: 900, Warning: 50, Skipped: 38, Canceled: 2}},
		},
	}
}

func TestSummaryJSONIsTheContract(t *testing.T) {
	want, err := os.ReadFile("testdata/summary.golden.json")
	testkit.Must(t, err)
	got, err := json.Marshal(tasks.Summarize(transfer(), time.Time{}))
	testkit.Must(t, err)
	if string(got)+"\n" != string(want) {
		t.Errorf("summary changed:\ngot  %s\nwant %s", got, want)
	}
}

func TestSummaryTime(t *testing.T) {
	created := transfer().CreatedAt
	tests := []struct {
		name    string
		change  func(*tasks.Transfer)
		now     time.Time
		seconds float64
		rate    float64
	}{
		{"ended: now does not matter", func(*tasks.Transfer) {}, created.Add(time.Hour), 3, 333.333},
		{"running: until now", func(t *tasks.Transfer) { t.EndedAt = time.Time{} }, created.Add(8 * time.Second), 8, 125},
		{"under a millisecond has no rate", func(t *tasks.Transfer) { t.EndedAt = created.Add(400 * time.Microsecond) }, created, 0, 0},
		{"a whole number of milliseconds", func(t *tasks.Transfer) { t.EndedAt = created.Add(1481 * time.Millisecond) }, created, 1.481, 675.219},
		{"the clock was set", func(t *tasks.Transfer) { t.EndedAt, t.Took = created.Add(24*time.Hour), 4*time.Second }, created, 4, 250},
		{"clocks that disagree", func(t *tasks.Transfer) { t.EndedAt = time.Time{} }, created.Add(-time.Minute), 0, 0},
		{"never created", func(t *tasks.Transfer) { t.CreatedAt = time.Time{} }, created, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := transfer()
			tt.change(tr)
			s := tasks.Summarize(tr, tt.now)
			if s.Seconds != tt.seconds || s.FilesPerSecond != tt.rate {
				t.Errorf("got %v s at %v files/s, want %v at %v", s.Seconds, s.FilesPerSecond, tt.seconds, tt.rate)
			}
		})
	}
}

func TestSummaryOfNothingHasStepsAsAList(t *testing.T) {
	b, err := json.Marshal(tasks.Summarize(&tasks.Transfer{}, time.Now()).Steps)
	if err != nil || string(b) != "[]" {
		t.Errorf("steps are %s, %v; want []", b, err)
	}
}
