package cli

import (
	"fmt"
	"strings"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/recipe"
)

// missingPrograms says which programs a recipe needs that this host does not have.
func missingPrograms(b *baler.Baler, r *recipe.Recipe) (all []string) {
	for _, m := range b.MissingPrograms(r) {
		all = append(all, fmt.Sprintf("%s is not installed here (%s): %s", printable(m.Name), printable(strings.Join(m.Uses, "; ")), m.Hint))
	}
	return all
}

// warnOfMissingPrograms says so before a transfer begins.
func (p *program) warnOfMissingPrograms(b *baler.Baler, r *recipe.Recipe) {
	for _, text := range missingPrograms(b, r) {
		p.notef("warning: %s. Files that need it end as errors (command-not-found).", text)
	}
}
