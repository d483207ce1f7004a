package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// unsetLimitFinder finds the names of limits that a recipe uses and that nobody has set.
type unsetLimitFinder interface {
	UnsetLimits(ctx context.Context, r *recipe.Recipe) ([]string, error)
}

// UnsetLimits implements unsetLimitFinder.
func (r *remote) UnsetLimits(ctx context.Context, of *recipe.Recipe) ([]string, error) {
	names := of.LimitNames()
	if len(names) == 0 {
		return nil, nil
	}
	set, err := r.Limits(ctx)
	return tasks.UnsetLimits(names, set), err
}

// warnOfUnsetLimits notes which limits a recipe uses that nobody has set.
func (p *program) warnOfUnsetLimits(ctx context.Context, b unsetLimitFinder, r *recipe.Recipe) error {
	names, err := b.UnsetLimits(ctx, r)
	if err != nil {
		return err
	}
	for _, name := range names {
		p.notef("warning: the recipe uses the limit %s, which is not set: it limits nothing. "+
			"Set it with 'baler limit --name %s --in-flight N'.", name, name)
	}
	return nil
}

// noteUnsetLimits is warnOfUnsetLimits for work that does not depend on the answer.
func (p *program) noteUnsetLimits(ctx context.Context, b unsetLimitFinder, r *recipe.Recipe) {
	if err := p.warnOfUnsetLimits(ctx, b, r); err != nil {
		p.notef("note: it is not known whether the limits of the recipe are set: %s", printable(err.Error()))
	}
}

// noteUnsetLimitsThrough is noteUnsetLimits for a recipe of this host, or for one that the server
// knows by name.
func (p *program) noteUnsetLimitsThrough(ctx context.Context, r *remote, own *recipe.Recipe, name string) {
	var err error
	if own == nil {
		own, err = r.NamedRecipe(ctx, name)
	}
	if err != nil {
		p.notef("note: it is not known whether the recipe uses limits that are not set: %s", printable(r.explain(err).Error()))
		return
	}
	p.noteUnsetLimits(ctx, r, own)
}

// noteUnsetLimitsOf is noteUnsetLimits for a command that works without the database. It asks the
// server when there is one.
func (p *program) noteUnsetLimitsOf(cmd *cobra.Command, r *recipe.Recipe) {
	if len(r.LimitNames()) == 0 {
		return
	}
	err := p.withUnsetLimits(cmd, func(ctx context.Context, b unsetLimitFinder) error { return p.warnOfUnsetLimits(ctx, b, r) })
	if err != nil {
		p.notef("note: it is not known whether the limits of the recipe are set: %s", printable(err.Error()))
	}
}

func (p *program) withUnsetLimits(cmd *cobra.Command, do func(context.Context, unsetLimitFinder) error) error {
	cfg, err := p.settings(cmd)
	if err != nil {
		return err
	}
	if cfg.Server != "" {
		return p.withRemote(cmd, func(ctx context.Context, r *remote) error { return do(ctx, r) })
	}
	return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error { return do(ctx, b) })
}
