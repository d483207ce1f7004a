package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/recipe"
)

// recipes are the recipes that people can name.
type recipes interface {
	RecipeNames(ctx context.Context) ([]string, error)
	NamedRecipe(ctx context.Context, name string) (*recipe.Recipe, error)
}

// brokenRecipeError is the error of a recipe on a server that is not valid.
type brokenRecipeError struct{ reason string }

func (e *brokenRecipeError) Error() string { return e.reason }

// localRecipes are the built-in recipes and files of this host.
type localRecipes struct{}

func (localRecipes) RecipeNames(context.Context) ([]string, error) { return recipe.Builtins(), nil }

func (localRecipes) NamedRecipe(_ context.Context, name string) (*recipe.Recipe, error) {
	return recipe.Load(name)
}

// RecipeNames implements recipes.
func (r *remote) RecipeNames(ctx context.Context) ([]string, error) { return r.Recipes(ctx) }

// NamedRecipe implements recipes.
func (r *remote) NamedRecipe(ctx context.Context, name string) (*recipe.Recipe, error) {
	text, err := r.Recipe(ctx, name)
	if err != nil {
		return nil, err
	}
	if reason, broken := strings.CutPrefix(text, "# This recipe is not valid: "); broken {
		return nil, &brokenRecipeError{strings.TrimSuffix(strings.ReplaceAll(reason, "\n# ", "\n"), "\n")}
	}
	return recipe.Parse(name, []byte(text))
}

// withRecipes gives the recipes of the server, or else the built-in ones.
func (p *program) withRecipes(cmd *cobra.Command, do func(context.Context, recipes) error) error {
	cfg, err := p.settings(cmd)
	if err != nil {
		return err
	}
	if cfg.Server == "" {
		return do(cmd.Context(), localRecipes{})
	}
	return p.withRemote(cmd, func(ctx context.Context, r *remote) error { return do(ctx, r) })
}
