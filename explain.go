package baler

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// FileExplanation says what a recipe would do with a file.
type FileExplanation struct {
	File  tasks.File
	Facts map[string]any // that were found out beforehand
	Steps []StepExplanation
}

// StepExplanation says whether one step would run for a file.
type StepExplanation struct {
	recipe.StepExplanation

	Step *recipe.Step
}

// knownBefore are the handlers that Explain runs, because others depend on their facts.
// They only read, and they need no other program.
func knownBefore(handler string) bool { return handler == "identify" }

// Explain says for a file which steps of a recipe would run, and by which rules. It
// registers nothing. It identifies the file where the recipe does so; other handlers do not
// run, and what depends on their facts stays open.
func Explain(ctx context.Context, reg *handlers.Registry, r *recipe.Recipe, f tasks.File) (FileExplanation, error) {
	e := FileExplanation{File: f, Facts: make(map[string]any)}
	open := &openFacts{}
	for _, s := range r.Steps {
		step := StepExplanation{Step: s, StepExplanation: s.Explain(&f, e.Facts, open.has)}
		end := tasks.OutcomeSucceeded
		h, _ := reg.Lookup(s.Handler)
		switch {
		case step.Answer == recipe.AppliesNot:
		case step.Err != nil:
			end = tasks.OutcomeFailed
		case step.Answer == recipe.Applies && knownBefore(s.Handler) && h.Handler != nil:
			result, err := try(ctx, h, step.Args, f)
			if err == nil {
				err = addFacts(e.Facts, result.Facts)
			}
			if err != nil {
				return e, fmt.Errorf("explain step %s: %w", s.Name, err)
			}
			if end = result.Outcome; end.StopsRecipe() {
				step.Why += fmt.Sprintf("; it ends as %s (%s)", end, result.Error)
			}
		default:
			open.add(&h, step.Args)
		}
		e.Steps = append(e.Steps, step)
		if s.StopsOnFailure(end) {
			break // the file does not come to the steps after it
		}
	}
	return e, nil
}

// try runs a handler over one file, as it is now.
func try(ctx context.Context, h handlers.Registration, args any, f tasks.File) (tasks.Result, error) {
	results, err := handlertest.DryRun{Args: args}.Run(ctx, h.Handler, f.Path)
	if err != nil {
		return tasks.Result{}, err
	}
	return results[0], nil
}

func addFacts(to map[string]any, more json.RawMessage) error {
	if len(more) == 0 {
		return nil
	}
	return json.Unmarshal(more, &to)
}

// openFacts are the facts that steps may record which did not run.
type openFacts struct {
	names []string
	any   bool
}

func (o *openFacts) add(h *handlers.Registration, args any) {
	if h.Facts == nil {
		o.any = true
		return
	}
	names := h.Facts(args)
	o.any = o.any || names == nil
	o.names = append(o.names, names...)
}

// has reports whether a fact, or any for "", may yet be recorded.
func (o *openFacts) has(fact string) bool {
	return o.any || slices.Contains(o.names, fact) || fact == "" && len(o.names) > 0
}
