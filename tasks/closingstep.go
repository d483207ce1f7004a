package tasks

// ClosingState is where a closing step stands.
type ClosingState string

// The states of a closing step.
const (
	ClosingWaiting  ClosingState = "waiting"  // for its turn, for a worker, or for its next try
	ClosingRunning  ClosingState = "running"  // a worker has it
	ClosingDone     ClosingState = "done"     // perhaps with something that a person should know
	ClosingFailed   ClosingState = "failed"   // for good; the steps behind it run all the same
	ClosingCanceled ClosingState = "canceled" // a person stopped the transfer first
)

// ClosingStep is one closing step of a transfer and how it stands.
type ClosingStep struct {
	No      int
	Name    string // the step's name in the recipe
	Handler string
	State   ClosingState
	Tries   int    // begun so far, since the last file ended last
	Error   string // of the last try; of one that is done, what a person should know
}

// ClosingSummary is one closing step's part of a Summary.
type ClosingSummary struct {
	Step  string       `json:"step"`
	State ClosingState `json:"state" enum:"waiting,running,done,failed,canceled"`
	Tries int          `json:"tries"`
	Error string       `json:"error"`
}

func summarizeClosing(steps []ClosingStep) []ClosingSummary {
	var out []ClosingSummary
	for _, s := range steps {
		out = append(out, ClosingSummary{Step: s.Name, State: s.State, Tries: s.Tries, Error: s.Error})
	}
	return out
}

// ClosingFailed names the closing steps that failed for good.
func (t *Transfer) ClosingFailed() (names []string) {
	for _, s := range t.Closing {
		if s.State == ClosingFailed {
			names = append(names, s.Name)
		}
	}
	return names
}

// ClosingNow is the closing step that a transfer in the state Closing has come
// to; false when it is in another state.
func (t *Transfer) ClosingNow() (ClosingStep, bool) {
	if t.State != Closing {
		return ClosingStep{}, false
	}
	for _, s := range t.Closing {
		if s.State == ClosingWaiting || s.State == ClosingRunning {
			return s, true
		}
	}
	return ClosingStep{}, false
}
