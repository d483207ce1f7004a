package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Recipe is an ordered list of steps. It is immutable: its fields are for reading.
type Recipe struct {
	Name        string
	Description string
	Split       int64        // bytes of the parts that files of lines are split into; 0 leaves files whole
	Steps       []*Step      // at least one; Steps[i].No is i+1
	Finalizers  []*Finalizer // perhaps none; Closing[i].No is i+1

	file   string
	source string
	facts  []bool // facts[i]: the steps from Steps[i] on read facts
}

// Step is one handler applied to every file that its condition selects. A zero
// Timeout, Retry or Batch, or a zero field of them, means that the recipe says
// nothing: the site's configuration or the handler's default holds.
type Step struct {
	Number    int // from 1
	Name      string
	Handler   string
	When      string // the condition's source; empty when every file is selected
	Timeout   time.Duration
	Retry     Retry
	Batch     Batch
	OnFailure OnFailure

	when *expression // nil when every file is selected
	with arguments
	line int // of the handler's name
}

// Retry says how often a file that ended in error or timed out is tried, and
// how long after.
type Retry struct {
	Attempts   int // all of them, the first included
	Backoff    time.Duration
	MaxBackoff time.Duration
}

// Batch is a step's batch policy.
type Batch struct {
	MaxItems int
	MaxBytes int64
	MaxDelay time.Duration
	Target   time.Duration
}

// OnFailure says whether a file that ended badly goes on to the next step.
type OnFailure string

// What a step does with a file that ended badly.
const (
	Stop     OnFailure = "stop" // the default
	Continue OnFailure = "continue"
)

// ArgsDigest tells steps with different arguments apart, as the recipe has them:
// 16 hexadecimal digits, empty for a step without arguments.
func (s *Step) ArgsDigest() string {
	if s.with.value == nil {
		return ""
	}
	b, err := json.Marshal(s.with.value) // object keys come out sorted
	if err != nil {                      // the parser lets nothing through but JSON values
		panic(fmt.Sprintf("encode arguments of step %s: %v", s.Name, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// Unconditional reports whether the step selects every file.
func (s *Step) Unconditional() bool { return s.when == nil }

// StopsOnFailure reports whether a file that ended so at this step goes no further. A
// canceled file never does: what a person stopped stays stopped.
func (s *Step) StopsOnFailure(o tasks.Outcome) bool {
	return o == tasks.OutcomeCanceled || s.OnFailure == Stop && o.StopsRecipe()
}

// Step returns the step of that number, nil when there is none.
func (r *Recipe) Step(no int) *Step {
	if no < 1 || no > len(r.Steps) {
		return nil
	}
	return r.Steps[no-1]
}

// YAML is the recipe's text, which Parse reads again into the same recipe. It
// refers to nothing outside itself, so it can be kept with a transfer.
func (r *Recipe) YAML() string { return r.source }

// Digest is a SHA-256, in hexadecimal, over what decides on results: each
// step's handler, arguments, condition and conduct on failure, in order, and
// how files are split. Names, descriptions, comments, layout, timeouts, retries
// and batch sizes do not change it. Final steps do not either: they come after
// the results, and to write a manifest elsewhere should not run a million files
// again.
func (r *Recipe) Digest() string {
	type essence struct {
		Handler   string    `json:"handler"`
		With      any       `json:"with"`
		When      string    `json:"when"`
		OnFailure OnFailure `json:"on_failure"`
	}
	all := make([]essence, len(r.Steps))
	for i, s := range r.Steps {
		all[i] = essence{s.Handler, s.with.value, s.When, s.OnFailure}
	}
	var digested any = all
	if r.Split > 0 { // recipes that split nothing keep the digests that they have always had
		digested = []any{r.Split, all}
	}
	b, err := json.Marshal(digested) // object keys come out sorted
	if err != nil {                  // the parser lets nothing through but JSON values
		panic(fmt.Sprintf("encode recipe %s: %v", r.Name, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
