package recipe

import (
	"errors"
	"slices"

	"github.com/balerhq/baler/tasks"
)

// Next returns the number, from 1, of the first step after the given one whose
// condition and rules select the file, or 0 without one. With after = 0 it returns the file's
// first step. facts may be nil.
//
// When a condition fails, Next returns the number of its step and an
// *EvalError: the file belongs to that step, with the error as its result.
func (r *Recipe) Next(after int, f *tasks.File, facts map[string]any) (int, error) {
	var v *variables
	for _, s := range r.Steps[min(max(after, 0), len(r.Steps)):] {
		if !s.HasCondition() {
			return s.Number, nil
		}
		if v == nil {
			v = variablesOf(f, facts)
		}
		selected, err := s.selects(v)
		if err != nil {
			return s.Number, err
		}
		if selected {
			return s.Number, nil
		}
	}
	return 0, nil
}

// selects evaluates the step's condition and its rules.
func (s *Step) selects(v *variables) (bool, error) {
	if s.when != nil {
		selected, err := s.when.holds(v)
		if err != nil {
			return false, &EvalError{Number: s.Number, Step: s.Name, Part: "when", Source: s.When, Err: err}
		}
		if !selected {
			return false, nil
		}
	}
	if len(s.Rules) == 0 {
		return true, nil
	}
	r, err := s.rule(v)
	return r != nil && !r.Nothing, err
}

var errNoRule = errors.New("no rule applies to the file any more: its facts have changed since it came to this step")

// rule returns the first rule that matches, or nil.
func (s *Step) rule(v *variables) (*Rule, error) {
	for _, r := range s.Rules {
		ok, err := r.matches(v)
		if err != nil {
			return nil, &EvalError{Number: s.Number, Step: s.Name, Part: "rule " + r.title() + ": when", Source: r.When, Err: err}
		}
		if ok {
			return r, nil
		}
	}
	return nil, nil //nolint:nilnil // most files need nothing
}

// NeedsFacts reports whether a condition or an argument of the given step, or
// of one after it, reads facts. Otherwise Next and Args do not need them.
func (r *Recipe) NeedsFacts(step int) bool {
	i := max(step, 1) - 1
	return i < len(r.facts) && r.facts[i]
}

// factsNeeded computes NeedsFacts for every step.
func factsNeeded(steps []*Step) []bool {
	needed := make([]bool, len(steps))
	later := false
	for i := len(steps) - 1; i >= 0; i-- {
		s := steps[i]
		later = later || s.with.facts || s.when != nil && s.when.facts || slices.ContainsFunc(s.Rules, (*Rule).readsFacts)
		needed[i] = later
	}
	return needed
}
