package fixity

import (
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// HasRecipe reports whether a transfer is of a run with a fixity recipe. A recipe that this
// version cannot read is none.
func HasRecipe(t *tasks.Transfer) bool {
	r, err := recipe.Parse("", []byte(t.Recipe))
	return err == nil && r.Fixity
}
