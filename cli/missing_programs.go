package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/recipe"
)

// missingNeeds says which programs and services a recipe needs that this host does not have.
func missingNeeds(ctx context.Context, b *baler.Baler, r *recipe.Recipe) (all []missingNeed) {
	for _, m := range b.MissingPrograms(r) {
		all = append(all, missingNeed{
			fmt.Sprintf("%s is not installed here (%s): %s", printable(m.Name), printable(strings.Join(m.Uses, "; ")), m.Hint),
			"Files that need it end as errors (command-not-found).",
		})
	}
	for _, m := range b.MissingServices(ctx, r) {
		all = append(all, missingNeed{
			fmt.Sprintf("%s (%s)", printable(m.Problem), printable(strings.Join(m.Uses, "; "))), printable(m.Effect),
		})
	}
	for _, o := range b.UnwritableOutputs(r) {
		all = append(all, missingNeed{
			fmt.Sprintf("%s cannot be written (%s): %s", quoted(o.Path), printable(strings.Join(o.Uses, "; ")), printable(o.Problem)),
			"What is to be written there ends as an error.",
		})
	}
	return all
}

// missingNeed is what a host does not have, and how files end without it.
type missingNeed struct{ problem, effect string }

// warnOfMissingNeeds says so before a transfer begins.
func (p *program) warnOfMissingNeeds(ctx context.Context, b *baler.Baler, r *recipe.Recipe) {
	for _, m := range missingNeeds(ctx, b, r) {
		p.notef("warning: %s. %s", m.problem, m.effect)
	}
}

// missingProblems are the problems alone.
func missingProblems(ctx context.Context, b *baler.Baler, r *recipe.Recipe) (all []string) {
	for _, m := range missingNeeds(ctx, b, r) {
		all = append(all, m.problem)
	}
	return all
}
