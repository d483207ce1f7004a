package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/recipe"
)

// Recipes implements api.Submitter: the built-in recipes, and those in the folders of
// worker.recipes.
func (b *Backend) Recipes() []string {
	names := slices.AppendSeq(recipe.Builtins(), maps.Keys(b.recipeFiles()))
	slices.Sort(names)
	return slices.Compact(names)
}

// recipePath returns what recipe.Load takes for a recipe that Recipes names.
func (b *Backend) recipePath(name string) (path string, known bool) {
	if path, known = b.recipeFiles()[name]; known { // a site may replace a built-in recipe
		return path, true
	}
	return name, slices.Contains(recipe.Builtins(), name)
}

// recipeFiles returns the paths of the recipes in the folders of worker.recipes, by name. It
// reads the folders each time, so that a new recipe needs no restart.
func (b *Backend) recipeFiles() map[string]string {
	files := make(map[string]string)
	for _, dir := range b.RecipeFolders {
		for _, pattern := range []string{"*.yaml", "*.yml"} {
			paths, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				continue // the pattern is valid
			}
			for _, p := range paths {
				name := strings.TrimSuffix(filepath.Base(p), filepath.Ext(p))
				if _, ok := files[name]; !ok {
					files[name] = p
				}
			}
		}
	}
	return files
}

// Recipe implements api.Submitter.
func (b *Backend) Recipe(name string) (yaml string, known bool) {
	path, known := b.recipePath(name)
	if !known {
		return "", false
	}
	r, err := recipe.Load(path)
	if err != nil {
		return "# This recipe is not valid: " + strings.ReplaceAll(err.Error(), "\n", "\n# ") + "\n", true
	}
	return r.YAML(), true
}

// recipeOf loads and checks the recipe of a submission.
func (b *Backend) recipeOf(ctx context.Context, s *api.SubmissionRequest) (*recipe.Recipe, error) {
	r, err := b.loadRecipe(ctx, s)
	if err == nil && r.Fixity {
		return nil, &api.RequestError{Field: "recipe", Err: ingest.ErrFixitySubmit}
	}
	return r, err
}

// loadRecipe loads and checks a recipe, which may compare files with earlier transfers.
func (b *Backend) loadRecipe(ctx context.Context, s *api.SubmissionRequest) (r *recipe.Recipe, err error) {
	if s.Inline {
		r, err = recipe.Parse("recipe", []byte(s.Recipe))
	} else {
		name := cmp.Or(s.Recipe, recipe.Default)
		path, known := b.recipePath(name)
		if !known {
			err = fmt.Errorf("the server knows no recipe named %q; it knows %s", name, strings.Join(b.Recipes(), ", "))
		} else {
			r, err = recipe.Load(path)
		}
	}
	if err == nil {
		err = b.CheckRecipe(ctx, r)
	}
	switch wrong, ok := errors.AsType[recipe.Errors](err); {
	case ok:
		return nil, &api.RequestError{Field: "recipe", Err: wrong}
	case err != nil && r == nil:
		return nil, &api.RequestError{Field: "recipe", Err: err}
	case err != nil:
		return nil, err
	}
	return r, nil
}
