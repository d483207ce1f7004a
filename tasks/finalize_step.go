package tasks

// FinalizeState is where a final step stands.
type FinalizeState string

// The states of a final step.
const (
	FinalizeWaiting  FinalizeState = "waiting"  // for the steps before it, a worker, or its next attempt
	FinalizeRunning  FinalizeState = "running"  // a worker has claimed it
	FinalizeDone     FinalizeState = "done"     // perhaps with a warning
	FinalizeFailed   FinalizeState = "failed"   // for good; the steps after it still run
	FinalizeCanceled FinalizeState = "canceled" // the transfer was canceled first
)

// FinalizeStep is one final step of a transfer with its state.
type FinalizeStep struct {
	Number   int
	Name     string // the step's name in the recipe
	Handler  string
	Digest   string // identifies what it does, when it is registered
	Inputs   string // identifies what it reads besides the files of the collection, when it is registered
	State    FinalizeState
	Attempts int      // begun since the transfer's files last ended
	Error    string   // of the last attempt; the warning of a step that is done
	Progress Progress // while it runs, as far as it is known
}

// FinalizeSummary is one final step's part of a Summary.
type FinalizeSummary struct {
	Step     string        `json:"step"`
	State    FinalizeState `json:"state" enum:"waiting,running,done,failed,canceled"`
	Attempts int           `json:"attempts"`
	Error    string        `json:"error"`
	Progress *Progress     `json:"progress,omitempty"` // while it runs, as far as it is known
}

func summarizeFinalizers(steps []FinalizeStep) []FinalizeSummary {
	var out []FinalizeSummary
	for _, s := range steps {
		summary := FinalizeSummary{Step: s.Name, State: s.State, Attempts: s.Attempts, Error: s.Error}
		if s.Progress != (Progress{}) {
			summary.Progress = &s.Progress
		}
		out = append(out, summary)
	}
	return out
}

// FailedFinalizers names the final steps that failed for good.
func (t *Transfer) FailedFinalizers() (names []string) {
	for _, s := range t.Finalizers {
		if s.State == FinalizeFailed {
			names = append(names, s.Name)
		}
	}
	return names
}

// CurrentFinalizer returns the first final step that has not ended. It reports
// false unless the transfer is in StateFinalizing.
func (t *Transfer) CurrentFinalizer() (FinalizeStep, bool) {
	if t.State != StateFinalizing {
		return FinalizeStep{}, false
	}
	for _, s := range t.Finalizers {
		if s.State == FinalizeWaiting || s.State == FinalizeRunning {
			return s, true
		}
	}
	return FinalizeStep{}, false
}
