package worker

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
)

// CommandAccess says which recipes may run programs in this process: own, the recipe of the
// person who started it, if any; the recipes in the folders dirs; and, with all, every
// recipe. It compares recipes by digest, so a changed command makes another recipe.
func CommandAccess(own *recipe.Recipe, dirs []string, all bool) func(*recipe.Recipe) handlers.CommandAccess {
	return func(r *recipe.Recipe) handlers.CommandAccess {
		digest := r.Digest()
		if own != nil && own.Digest() == digest {
			return handlers.CommandAccess{Allowed: true, Dir: own.Dir()}
		}
		for _, dir := range dirs {
			if holdsRecipe(dir, digest) {
				return handlers.CommandAccess{Allowed: true, Dir: dir}
			}
		}
		return handlers.CommandAccess{Allowed: all}
	}
}

// holdsRecipe reports whether a folder has a recipe with this digest. It reads the files
// each time, so that the operator need not start the worker again after changing one.
func holdsRecipe(dir, digest string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false // a folder that cannot be read allows nothing
	}
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		if ext := filepath.Ext(e.Name()); ext != ".yaml" && ext != ".yml" {
			return false
		}
		r, err := recipe.Load(filepath.Join(dir, e.Name()))
		return err == nil && r.Digest() == digest
	})
}
