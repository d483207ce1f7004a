package tasks

import (
	"cmp"
	"slices"
	"time"
)

// TimePart is what a moment of a transfer's wall time went into.
type TimePart int

// The parts, in the order in which they are shown. The first seven are waiting: nothing of
// the transfer runs.
const (
	TimePaused     TimePart = iota // paused by a person, by failures or by Baler
	TimeApproval                   // a step waits for approval
	TimeLimits                     // limits keep the batches out
	TimeRetry                      // files wait to be tried again
	TimeQueue                      // batches wait for a worker to take them
	TimeNoBatch                    // there is no batch yet: files are registered, or the dispatcher acts
	TimeNoWorker                   // no worker takes part
	TimeSlots                      // batches wait for slots that others hold
	TimeLoading                    // files, facts and earlier results are read
	TimeHandler                    // the handler runs
	TimeCommits                    // results are recorded
	TimeOther                      // the rest of a worker's work on a batch
	TimeFinalSteps                 // after the last batch: the final steps
)

// TimeParts is how many parts there are.
const TimeParts = int(TimeFinalSteps) + 1

// timePartNames are the names of the parts in JSON and in the database, and their words.
func timePartNames() [TimeParts][2]string {
	return [TimeParts][2]string{
		{"paused", "paused"},
		{"approval", "waiting for approval"},
		{"limits", "kept out by limits"},
		{"retry", "waiting to try again"},
		{"queue", "queue"},
		{"no_batch", "no batch yet"},
		{"no_worker", "no worker"},
		{"slots", "waiting for a slot"},
		{"loading", "loading"},
		{"handler", "handler"},
		{"commits", "commits"},
		{"other", "other"},
		{"final_steps", "final steps"},
	}
}

// String is the part's name in JSON.
func (p TimePart) String() string { return timePartNames()[p][0] }

// Words name the part for people.
func (p TimePart) Words() string { return timePartNames()[p][1] }

// Waiting reports whether nothing of the transfer runs in such a moment.
func (p TimePart) Waiting() bool { return p <= TimeNoWorker }

// WallTime says where the wall time of a transfer went. The parts of its steps, and those
// that belong to no step, add up to its parts, and those to Took.
type WallTime struct {
	Took    time.Duration
	Workers int // that have run batches of it
	Slots   int // of all of them together

	// HandlersAtOnce is how many of its batches were in a handler at a time, on average over
	// the whole of Took.
	HandlersAtOnce float64

	Parts TimeByPart
	Steps []StepWallTime // one per step of the recipe
}

// TimeByPart is a time in its parts, by TimePart.
type TimeByPart [TimeParts]time.Duration

// Sum adds up the parts.
func (p *TimeByPart) Sum() (sum time.Duration) {
	for _, d := range p {
		sum += d
	}
	return sum
}

// Largest lists the parts that are not zero, the largest first.
func (p *TimeByPart) Largest() (parts []TimePart) {
	for part, d := range p {
		if d > 0 {
			parts = append(parts, TimePart(part))
		}
	}
	slices.SortStableFunc(parts, func(a, b TimePart) int { return cmp.Compare(p[b], p[a]) })
	return parts
}

// StepWallTime is a step's part of a WallTime.
type StepWallTime struct {
	Step  string
	Parts TimeByPart
}

// WallTimeSummary is a WallTime in JSON.
type WallTimeSummary struct {
	Seconds        float64           `json:"seconds"`          // that the parts add up to
	Workers        int               `json:"workers"`          // that have run batches of the transfer
	Slots          int               `json:"slots"`            // of all of them together
	HandlersAtOnce float64           `json:"handlers_at_once"` // on average over the whole time
	Parts          []PartSummary     `json:"parts"`            // never null; left out are those of no time
	Steps          []StepTimeSummary `json:"steps"`            // never null
}

// PartSummary is a part of a time.
type PartSummary struct {
	Part    string  `json:"part"`
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"` // of the whole wall time, from 0 to 1
}

// StepTimeSummary is a step's part of a WallTimeSummary.
type StepTimeSummary struct {
	Step  string        `json:"step"`
	Parts []PartSummary `json:"parts"` // never null
}

// summarizeWallTime returns nil for nil.
func summarizeWallTime(w *WallTime) *WallTimeSummary {
	if w == nil {
		return nil
	}
	s := &WallTimeSummary{
		Seconds: w.Took.Seconds(), Workers: w.Workers, Slots: w.Slots, HandlersAtOnce: roundTo(w.HandlersAtOnce, 100),
		Parts: summarizeParts(&w.Parts, w.Took), Steps: make([]StepTimeSummary, len(w.Steps)),
	}
	for i := range w.Steps {
		s.Steps[i] = StepTimeSummary{w.Steps[i].Step, summarizeParts(&w.Steps[i].Parts, w.Took)}
	}
	return s
}

func summarizeParts(parts *TimeByPart, took time.Duration) []PartSummary {
	all := []PartSummary{}
	for p, d := range parts {
		if d > 0 {
			all = append(all, PartSummary{TimePart(p).String(), d.Seconds(), roundTo(d.Seconds()/took.Seconds(), 10000)})
		}
	}
	return all
}

// WallTime reads the summary back. Parts that this version does not know count as other.
func (s *WallTimeSummary) WallTime() *WallTime {
	if s == nil {
		return nil
	}
	w := &WallTime{Took: seconds(s.Seconds), Workers: s.Workers, Slots: s.Slots, HandlersAtOnce: s.HandlersAtOnce, Parts: partsOf(s.Parts)}
	for _, step := range s.Steps {
		w.Steps = append(w.Steps, StepWallTime{step.Step, partsOf(step.Parts)})
	}
	return w
}

func partsOf(all []PartSummary) (parts TimeByPart) {
	names := timePartNames()
	for _, one := range all {
		at := TimeOther
		for p := range names {
			if names[p][0] == one.Part {
				at = TimePart(p)
			}
		}
		parts[at] += seconds(one.Seconds)
	}
	return parts
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}
