package recipe

import "github.com/balerhq/baler/tasks"

// arguments is a step's "with": a JSON value in which strings may be templates.
type arguments struct {
	known    any  // the variables that templates may read
	value    any  // nil, bool, int, float64, string, []any, map[string]any, *template
	rendered bool // it contains a template
	facts    bool // a template reads facts

	file  string     // where it is written
	line  int        // of the key "with"
	reads []factRead // facts that templates read by name
}

// factRead is one place where an expression reads a fact.
type factRead struct {
	fact   string
	part   string // "when", "with" or the rule
	source string // of the expression or the template
	file   string
	line   int
}

// Args renders the step's "with" for a file, merged with that of the first rule that
// matches. It returns nil when the step has no "with". Numbers are int or float64, as in
// the recipe or the expression's result; lists are []any, mappings map[string]any. An
// error is an *EvalError.
func (s *Step) Args(f *tasks.File, facts map[string]any) (any, error) {
	if len(s.Rules) == 0 && !s.with.rendered {
		return render(s.with.value, nil, s.Number, s.Name)
	}
	v := variablesOf(f, facts)
	with := &s.with
	if len(s.Rules) > 0 {
		r, err := s.rule(v)
		if err != nil {
			return nil, err
		}
		if r == nil || r.Nothing {
			return nil, &EvalError{Number: s.Number, Step: s.Name, Part: "rules", Err: errNoRule}
		}
		with = &r.with
	}
	return render(with.value, v, s.Number, s.Name)
}

// render copies a value of a step and replaces templates by their results.
func render(value, v any, no int, step string) (any, error) {
	switch value := value.(type) {
	case *template:
		out, err := value.render(v)
		if err != nil {
			return nil, &EvalError{Number: no, Step: step, Part: "with", Source: value.source, Err: err}
		}
		return out, nil
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			r, err := render(item, v, no, step)
			if err != nil {
				return nil, err
			}
			out[i] = r
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, item := range value {
			r, err := render(item, v, no, step)
			if err != nil {
				return nil, err
			}
			out[key] = r
		}
		return out, nil
	}
	return value, nil // a scalar can be shared
}

// ArgsTemplated reports whether Args depends on the file.
func (s *Step) ArgsTemplated() bool { return s.with.rendered || len(s.Rules) > 0 }
