package baler

import (
	"context"
	"slices"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
)

// DefaultRecipe is the name of the recipe that is used when none is named.
const DefaultRecipe = "default"

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
		Step: func(name string) (recipe.Handler, bool) {
			reg, here := b.registry.Lookup(name)
			h := recipe.Handler{CheckArgs: reg.CheckArgs, Facts: reg.Facts, WholeBatches: here && !reg.TimesFiles}
			return h, here || slices.Contains(elsewhere, name)
		},
		Finalizer: func(name string) (recipe.Handler, bool) {
			reg, here := b.registry.LookupFinalizer(name)
			return recipe.Handler{CheckArgs: reg.CheckArgs}, here || slices.Contains(elsewhere, ledger.FinalizerName(name))
		},
	})
}

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
