package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Recipe is an ordered list of steps. It is immutable: its fields are for reading.
type Recipe struct {
	Name        string
	Description string
	Split       int64 // size in bytes of the chunks that files of lines are split into; 0 leaves files whole
	Fixity      bool  // a run reads all files again, and compares them with what earlier transfers recorded
	StopAfter   tasks.StopAfter
	Deadline    time.Duration // how long a transfer may take; 0: any time
	Steps       []*Step       // at least one; Steps[i].Number is i+1
	FinalSteps  []*FinalStep  // possibly none; FinalSteps[i].Number is i+1

	file   string
	source string
	dir    string // see Dir
	facts  []bool // facts[i]: the steps from Steps[i] on read facts
}

// Step applies one handler to every file that its condition selects. A zero
// Timeout, or a zero field of Retry or Batch, means that the recipe does not set
// it: the site's configuration or the handler's default applies.
type Step struct {
	Number  int // from 1
	Name    string
	Handler string
	When    string        // the condition's source; empty when every file is selected
	Timeout time.Duration // of one file

	// BatchTimeout is for all files of a batch together.
	BatchTimeout time.Duration

	Retry     tasks.RetryPolicy
	Batch     tasks.BatchPolicy
	OnFailure OnFailure
	Limits    []string // names of limits on its batches: `baler limit --name` sets them
	Approve   bool     // no file of the step runs before a person has approved it

	// Reuse says when a result of an earlier transfer is taken over.
	Reuse Reuse

	// EmitFrom says at which step the files start that the handler emits.
	EmitFrom EmitFrom

	// Rules choose the arguments by file: the first that matches applies. The step leaves out
	// files that none matches. Without rules it takes every file.
	Rules []*Rule

	when     *expression // nil when every file is selected
	whenLine int
	with     arguments
	line     int // of the handler's name

	emitFrom     string // as the recipe has it
	emitFromLine int
	reuseLine    int
}

// reads returns the facts that the step reads by name.
func (s *Step) reads() (all []factRead) {
	if s.when != nil {
		for _, fact := range s.when.reads {
			all = append(all, factRead{fact: fact, part: "when", source: s.When, line: s.whenLine, file: s.with.file})
		}
	}
	all = append(all, s.with.reads...)
	for _, r := range s.Rules {
		all = append(all, r.reads()...)
	}
	return all
}

// OnFailure says whether a failed file continues with the next step.
type OnFailure string

// The values of OnFailure.
const (
	Stop     OnFailure = "stop" // the default
	Continue OnFailure = "continue"
)

// ArgsDigest identifies the step's arguments before rendering, in 16 hexadecimal
// digits. It is empty for a step without arguments.
func (s *Step) ArgsDigest() string {
	args := s.with.value
	if len(s.Rules) > 0 {
		args = []any{s.with.value, s.ruleEssence()}
	}
	if args == nil {
		return ""
	}
	b, err := json.Marshal(args) // object keys come out sorted
	if err != nil {              // the parser accepts only JSON values
		panic(fmt.Sprintf("encode arguments of step %s: %v", s.Name, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// ruleEssence returns everything that affects what the rules do.
func (s *Step) ruleEssence() []ruleText {
	var all []ruleText
	for _, r := range s.Rules {
		all = append(all, r.essence())
	}
	return all
}

// HasCondition reports whether the step has a condition or rules; without them it
// selects every file.
func (s *Step) HasCondition() bool { return s.when != nil || len(s.Rules) > 0 }

// StopsOnFailure reports whether a file with the outcome o at this step skips the
// steps after it. A canceled file always does.
func (s *Step) StopsOnFailure(o tasks.Outcome) bool {
	return o == tasks.OutcomeCanceled || s.OnFailure == Stop && o.StopsRecipe()
}

// Step returns the step of that number, or nil.
func (r *Recipe) Step(no int) *Step {
	if no < 1 || no > len(r.Steps) {
		return nil
	}
	return r.Steps[no-1]
}

// Dir is the folder of the file that Load read, absolute; empty for built-in recipes and
// for text.
func (r *Recipe) Dir() string { return r.dir }

// YAML returns the recipe's text, which Parse parses into the same recipe. It refers
// to nothing outside itself, so a transfer can store it.
func (r *Recipe) YAML() string { return r.source }

// Digest returns a SHA-256, in hexadecimal, of everything that affects results: each step's
// handler, arguments, condition, rules, on_failure and emit_from, in order, how files are
// split, and whether files are compared with earlier transfers. Names, descriptions,
// comments, layout, timeouts, retries and batch sizes do not change it. Final steps do not
// change it either, because they run after all results.
func (r *Recipe) Digest() string {
	type essence struct {
		Handler   string    `json:"handler"`
		With      any       `json:"with"`
		When      string    `json:"when"`
		OnFailure OnFailure `json:"on_failure"`
		EmitFrom  EmitFrom  `json:"emit_from,omitempty"`

		Rules []ruleText `json:"rules,omitempty"`
	}
	all := make([]essence, len(r.Steps))
	for i, s := range r.Steps {
		all[i] = essence{s.Handler, s.with.value, s.When, s.OnFailure, s.EmitFrom, s.ruleEssence()}
	}
	var digested any = all
	if r.Split > 0 { // recipes without split keep the digest that they had before split existed
		digested = []any{r.Split, all}
	}
	if r.Fixity {
		digested = []any{"fixity", digested}
	}
	b, err := json.Marshal(digested) // object keys come out sorted
	if err != nil {                  // the parser accepts only JSON values
		panic(fmt.Sprintf("encode recipe %s: %v", r.Name, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// LimitNames lists the names of the limits that the steps use, sorted, each once.
func (r *Recipe) LimitNames() (names []string) {
	for i := range r.Steps {
		names = append(names, r.Steps[i].Limits...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
