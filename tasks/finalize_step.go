package tasks

// FinalizeState is where a final step stands.
type FinalizeState string

// The states of a final step.
const (
	FinalizeWaiting  FinalizeState = "waiting"  // for its turn, for a worker, or for its next try
	FinalizeRunning  FinalizeState = "running"  // a worker has it
	FinalizeDone     FinalizeState = "done"     // perhaps with something that a person should know
	FinalizeFailed   FinalizeState = "failed"   // for good; the steps behind it run all the same
	FinalizeCanceled FinalizeState = "canceled" // a person stopped the transfer first
)

// FinalizeStep is one final step of a transfer and how it stands.
type FinalizeStep struct {
	Number   int
	Name     string // the step's name in the recipe
	Handler  string
	State    FinalizeState
	Attempts int    // begun so far, since the last file ended last
	Error    string // of the last try; of one that is done, what a person should know
}

// FinalizeSummary is one final step's part of a Summary.
type FinalizeSummary struct {
	Step     string        `json:"step"`
	State    FinalizeState `json:"state" enum:"waiting,running,done,failed,canceled"`
	Attempts int           `json:"tries"`
	Error    string        `json:"error"`
}

func summarizeFinalizers(steps []FinalizeStep) []FinalizeSummary {
	var out []FinalizeSummary
	for _, s := range steps {
		out = append(out, FinalizeSummary{Step: s.Name, State: s.State, Attempts: s.Attempts, Error: s.Error})
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

// CurrentFinalizer is the final step that a transfer in the state Closing has come
// to; false when it is in another state.
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
