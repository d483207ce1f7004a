package recipe

import "github.com/balerhq/baler/tasks"

// Next returns the number, from 1, of the first step after the given one whose
// condition selects the file, or 0 without one. With after = 0 it returns the file's
// first step. facts may be nil.
//
// When a condition fails, Next returns the number of its step and an
// *EvalError: the file belongs to that step, with the error as its result.
func (r *Recipe) Next(after int, f *tasks.File, facts map[string]any) (int, error) {
	var v *variables
	for _, s := range r.Steps[min(max(after, 0), len(r.Steps)):] {
		if s.when == nil {
			return s.Number, nil
		}
		if v == nil {
			v = variablesOf(f, facts)
		}
		selected, err := s.when.holds(v)
		if err != nil {
			return s.Number, &EvalError{Number: s.Number, Step: s.Name, Part: "when", Source: s.When, Err: err}
		}
		if selected {
			return s.Number, nil
		}
	}
	return 0, nil
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
		later = later || s.with.facts || s.when != nil && s.when.facts
		needed[i] = later
	}
	return needed
}
