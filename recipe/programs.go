package recipe

import (
	"slices"
	"strings"
)

// ProgramUse is a program that a recipe runs.
type ProgramUse struct {
	Name string   // as the recipe gives it
	Uses []string // the steps and rules that run it, for people
}

// Programs lists the programs that the steps name, in order. of returns the program that a
// handler runs with its arguments; it may be nil. Programs that depend on the file are left
// out.
func (r *Recipe) Programs(of func(handler string) func(args any) []string) (all []ProgramUse) {
	add := func(name, use string) {
		if strings.Contains(name, "${") {
			return
		}
		i := slices.IndexFunc(all, func(p ProgramUse) bool { return p.Name == name })
		if i < 0 {
			i, all = len(all), append(all, ProgramUse{Name: name})
		}
		if !slices.Contains(all[i].Uses, use) {
			all[i].Uses = append(all[i].Uses, use)
		}
	}
	r.EachArgs(func(s *Step, use string, args any) {
		if programs := of(s.Handler); programs != nil {
			for _, name := range programs(args) {
				add(name, use)
			}
		}
	})
	return all
}

// EachArgs calls do with the arguments that each step can have: its own, or those of each
// of its rules. Templates are not rendered. use names the step and the rule for people.
func (r *Recipe) EachArgs(do func(s *Step, use string, args any)) {
	for _, s := range r.Steps {
		s.variants(func(with *arguments, _ any, _ error, rule *Rule) {
			use := "step " + s.Name
			if rule != nil {
				use += ", rule " + rule.title()
			}
			do(s, use, unrendered(with.value))
		})
	}
}

// EachFinalArgs calls do with the arguments of each final step, as EachArgs does.
func (r *Recipe) EachFinalArgs(do func(s *FinalStep, args any)) {
	for _, s := range r.FinalSteps {
		do(s, unrendered(s.with.value))
	}
}

// unrendered returns a value in which the sources of templates replace them.
func unrendered(value any) any {
	switch value := value.(type) {
	case *template:
		return value.source
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = unrendered(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, item := range value {
			out[key] = unrendered(item)
		}
		return out
	}
	return value
}
