package baler

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// DefaultRecipe is the name of the recipe that is used when none is named.
const DefaultRecipe = "default"

// Recipe loads a built-in recipe by its name, or one from a YAML file, and
// checks it against the handlers of this process and of the live workers. All
// that is wrong with it is reported at once, each with its line.
func (b *Baler) Recipe(ctx context.Context, nameOrPath string) (*recipe.Recipe, error) {
	r, err := recipe.Load(nameOrPath)
	if err != nil {
		return nil, err
	}
	return r, b.CheckRecipe(ctx, r)
}

// CheckRecipe reports all steps and final steps whose handler no live worker and not
// this process has, or whose arguments their handler refuses.
func (b *Baler) CheckRecipe(ctx context.Context, r *recipe.Recipe) error {
	elsewhere, err := b.workerHandlers(ctx)
	if err != nil {
		return err
	}
	known := func(name string) bool {
		_, here := b.registry.Lookup(name)
		return here || slices.Contains(elsewhere, name)
	}
	knownFinalizer := func(name string) bool {
		_, here := b.registry.LookupFinalizer(name)
		return here || slices.Contains(elsewhere, worker.FinalizerName(name))
	}
	errs := []error{r.Check(known, knownFinalizer)}
	for _, s := range r.Steps {
		reg, here := b.registry.Lookup(s.Handler)
		if here && s.Timeout > 0 && !reg.TimesFiles {
			errs = append(errs, fmt.Errorf("recipe %s: step %s: %w", r.Name, s.Name, errTimesNoFiles))
		}
		if !here || reg.CheckArgs == nil || s.ArgsTemplated() {
			continue
		}
		args, err := s.Args(&tasks.File{}, nil)
		if err == nil {
			err = reg.CheckArgs(args)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("recipe %s: step %s: with: %w", r.Name, s.Name, err))
		}
	}
	for _, s := range r.Finalizers {
		reg, here := b.registry.LookupFinalizer(s.Handler)
		if !here || reg.CheckArgs == nil || s.ArgsTemplated() {
			continue
		}
		args, err := s.Args(&tasks.Transfer{})
		if err == nil {
			err = reg.CheckArgs(args)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("recipe %s: final step %s: with: %w", r.Name, s.Name, err))
		}
	}
	return errors.Join(errs...)
}

// errTimesNoFiles says that a step limits the time of a file where the handler cannot.
var errTimesNoFiles = errors.New("timeout: the handler works on whole batches and cannot time a file; set batch_timeout instead")

func (b *Baler) workerHandlers(ctx context.Context) ([]string, error) {
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
