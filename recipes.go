package baler

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/writable"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// DefaultRecipe is the name of the recipe that is used when none is named.
const DefaultRecipe = recipe.Default

// OpenRecipes connects to nothing, for programs that only check recipes, and what they need on
// this host. CheckRecipe then knows the handlers of this process only. Call no other methods.
func OpenRecipes(_ context.Context, cfg config.Config, o Options) (*Baler, error) {
	b := newBaler(cfg, o)
	if _, taken := b.registry.Lookup(load.Name); taken {
		return b, nil
	}
	return b, load.Register(b.registry, nil, nil)
}

// Recipe loads a built-in recipe by its name, or a recipe from a YAML file, and checks
// it against the handlers of this process and of the live workers. It reports all errors
// at once, each with its line.
func (b *Baler) Recipe(ctx context.Context, nameOrPath string) (*recipe.Recipe, error) {
	r, err := recipe.Load(nameOrPath)
	if err != nil {
		return nil, err
	}
	return r, b.CheckRecipe(ctx, r)
}

// CheckRecipe reports steps and final steps whose handler neither a live worker nor this
// process has, arguments that a handler refuses, and conditions and templates that read
// a fact which no earlier step records. It returns recipe.Errors.
func (b *Baler) CheckRecipe(ctx context.Context, r *recipe.Recipe) error {
	elsewhere, err := b.workerHandlers(ctx)
	if err != nil {
		return err
	}
	return r.Check(recipe.Catalog{
		Step: func(name string) (recipe.HandlerInfo, bool) {
			reg, here := b.registry.Lookup(name)
			h := recipe.HandlerInfo{CheckArgs: reg.CheckArgs, Facts: reg.Facts, WholeBatches: here && !reg.TimesFiles}
			if here && reg.Reuse == handlers.ReuseNever {
				h.NotReusable = "it writes files, reads others, or ends otherwise with time, or its registration does not say (WithReuse)"
			}
			return h, here || slices.Contains(elsewhere, name)
		},
		Finalizer: func(name string) (recipe.HandlerInfo, bool) {
			reg, here := b.registry.LookupFinalizer(name)
			return recipe.HandlerInfo{CheckArgs: reg.CheckArgs}, here || slices.Contains(elsewhere, ledger.FinalizerName(name))
		},
	})
}

func (b *Baler) workerHandlers(ctx context.Context) ([]string, error) {
	if b.store == nil {
		return nil, nil
	}
	workers, err := b.store.Workers(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, w := range workers {
		names = append(names, w.Handlers...)
	}
	return names, nil
}

// MissingProgram is a program that a recipe runs, and that this host does not have.
type MissingProgram struct {
	recipe.ProgramUse

	Hint string // how to get it
}

// MissingPrograms lists what a recipe needs, as far as its handlers tell, and is not
// installed on this host. Workers on other hosts may have it; without it the files that
// need it end with the code command-not-found.
func (b *Baler) MissingPrograms(r *recipe.Recipe) (missing []MissingProgram) {
	programs := r.Programs(func(handler string) func(args any) []string {
		reg, _ := b.registry.Lookup(handler)
		return reg.Programs
	})
	for _, p := range programs {
		if !command.Installed(p.Name, r.Dir()) {
			missing = append(missing, MissingProgram{ProgramUse: p, Hint: command.InstallHint(p.Name)})
		}
	}
	return missing
}

// MissingService is a service that a recipe needs, and that does not answer on this host.
type MissingService struct {
	handlers.ServiceProblem

	Uses []string // the steps and rules that need it, for people
}

// MissingServices lists the services that a recipe needs, as far as its handlers tell, and
// that do not answer on this host. Workers on other hosts may have them.
func (b *Baler) MissingServices(ctx context.Context, r *recipe.Recipe) (missing []MissingService) {
	r.EachArgs(func(s *recipe.Step, use string, args any) {
		reg, _ := b.registry.Lookup(s.Handler)
		if reg.MissingServices == nil {
			return
		}
		for _, m := range reg.MissingServices(ctx, args) {
			i := slices.IndexFunc(missing, func(known MissingService) bool { return known.ServiceProblem == m })
			if i < 0 {
				i, missing = len(missing), append(missing, MissingService{ServiceProblem: m})
			}
			missing[i].Uses = append(missing[i].Uses, use)
		}
	})
	return missing
}

// FileExplanation says what a recipe would do with a file.
type FileExplanation struct {
	File  tasks.File
	Facts map[string]any // that were found out beforehand
	Steps []recipe.StepExplanation
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
		step := s.Explain(&f, e.Facts, open.has)
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

// UnwritableOutput is a folder in which a recipe is to write, and in which this process cannot.
type UnwritableOutput = writable.Unwritable

// UnwritableOutputs lists where a recipe is to write, as far as its handlers tell, and this
// process cannot. Nothing is written to find out. Workers on other hosts may be able to.
func (b *Baler) UnwritableOutputs(r *recipe.Recipe) []UnwritableOutput {
	return writable.Check(r, b.registry, b.cfg.Outputs)
}
