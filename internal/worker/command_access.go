package worker

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/recipe"
)

// CommandAccess says which recipes may have this process run programs: own, that of the
// person for whom it works, if any; those in the folders dirs; and with all every one.
// Recipes are the same when their digests are, so a changed command is another recipe.
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
		return false // what cannot be read allows nothing
	}
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		if ext := filepath.Ext(e.Name()); ext != ".yaml" && ext != ".yml" {
			return false
		}
		r, err := recipe.Load(filepath.Join(dir, e.Name()))
		return err == nil && r.Digest() == digest
	})
}
