package tasks

import (
	"math"
	"time"
)

// Summary describes a transfer in one object: the last line of the commands that
// report a transfer in JSON, and the API's transfer. The order of its fields is
// part of the contract.
type Summary struct {
	Type           string        `json:"type"`     // always "summary"
	Transfer       string        `json:"transfer"` // UUID
	State          State         `json:"state"`
	Files          int64         `json:"files"`
	Bytes          int64         `json:"bytes"`
	Finished       int64         `json:"finished"`
	Emitted        int64         `json:"emitted,omitempty"` // files that steps have made of others; left out when there are none
	Results        Counts        `json:"results"`           // of all steps together
	Steps          []StepSummary `json:"steps"`             // never null
	Seconds        float64       `json:"seconds"`           // from creation to the end, or until now; whole milliseconds
	FilesPerSecond float64       `json:"files_per_second"`

	Finalizers []FinalizeSummary `json:"finalizers,omitempty"` // left out when the recipe has no final steps

	Weight int `json:"weight,omitempty"` // its share of the workers; left out when it is 1

	WaitingFor string `json:"waiting_for,omitempty"` // why it makes no progress; left out when it does, or when this was not checked

	StopAfter        string     `json:"stop_after,omitempty"`        // how many failures stop it, such as 5% or 100; left out when none do
	DeadlineAt       *time.Time `json:"deadline_at,omitempty"`       // when it ends if it has not ended before; left out without a deadline
	DeadlineExceeded bool       `json:"deadline_exceeded,omitempty"` // that has ended it

	Stopped string `json:"stopped,omitempty"` // why so many failures have paused it; left out unless they have

	WallTime *WallTimeSummary `json:"wall_time,omitempty"` // where its time went; left out when this was not asked, or is not known
}

// StepSummary is one step's part of a Summary.
type StepSummary struct {
	Step     string `json:"step"`
	Selected int64  `json:"routed"` // files that the step's condition selected
	Done     int64  `json:"done"`   // files with a result, whatever it is
	Failed   int64  `json:"failed"` // those of them that count as failures
	Results  Counts `json:"results"`
	Reused   int64  `json:"reused,omitempty"` // results taken over from earlier transfers; left out when there are none

	Approval Approval `json:"approval,omitempty"` // waiting, approved or rejected; left out when the step asks nobody
}

// Summarize describes a transfer. For one that has not ended, the time runs until
// now.
func Summarize(t *Transfer, now time.Time) Summary {
	took := Elapsed(t, now)
	stopAfter := ""
	if t.StopAfter != (StopAfter{}) {
		stopAfter = t.StopAfter.String()
	}
	weight := t.Weight
	if weight == 1 {
		weight = 0
	}
	var deadline *time.Time
	if !t.DeadlineAt.IsZero() {
		deadline = new(t.DeadlineAt.UTC())
	}
	return Summary{
		DeadlineAt:       deadline,
		DeadlineExceeded: t.DeadlineExceeded,

		Type:           "summary",
		Transfer:       t.UUID,
		State:          t.State,
		Files:          t.Files,
		Bytes:          t.Bytes,
		Finished:       t.Finished,
		Emitted:        t.Emitted,
		Results:        t.Totals(),
		Steps:          summarizeSteps(t.Steps),
		Seconds:        float64(took.Milliseconds()) / 1000, // Seconds would add two numbers, and 1.481 be 1.4809999999999999
		FilesPerSecond: rate(t.Finished, took),
		Finalizers:     summarizeFinalizers(t.Finalizers),
		WaitingFor:     t.WaitingFor,
		Weight:         weight,
		StopAfter:      stopAfter,
		Stopped:        t.Stopped,
		WallTime:       summarizeWallTime(t.WallTime),
	}
}

func summarizeSteps(steps []StepProgress) []StepSummary {
	out := make([]StepSummary, 0, len(steps))
	for i := range steps {
		s := &steps[i]
		out = append(out, StepSummary{
			Step: s.Name, Selected: s.Selected, Done: s.Total(), Failed: s.Failures(), Results: s.Counts, Reused: s.Reused,
			Approval: s.Approval,
		})
	}
	return out
}

// Elapsed is how long a transfer took, whatever the clock was set to meanwhile. It is never
// negative, also when the clocks of two hosts disagree.
func Elapsed(t *Transfer, now time.Time) time.Duration {
	if t.Took > 0 {
		return t.Took.Round(time.Millisecond)
	}
	if t.CreatedAt.IsZero() {
		return 0
	}
	end := t.EndedAt
	if end.IsZero() {
		end = now
	}
	return max(0, (end.Sub(t.CreatedAt) - t.ClockShift).Round(time.Millisecond))
}

// rate has three decimals, so that equal transfers print equal reports.
func rate(n int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return roundTo(float64(n)/took.Seconds(), 1000)
}

// roundTo rounds to fractions of that denominator.
func roundTo(x, denominator float64) float64 { return math.Round(x*denominator) / denominator }
