package baler

import (
	"context"
	"slices"

	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// UnsetLimits lists the names of limits that the steps of a recipe use and that are not set:
// they limit nothing. A limit of the configuration that no worker has set yet counts as set.
func (b *Baler) UnsetLimits(ctx context.Context, r *recipe.Recipe) (names []string, err error) {
	for _, s := range r.Steps {
		names = append(names, s.Limits...)
	}
	if len(names) == 0 {
		return nil, nil
	}
	set, err := b.store.Limits(ctx)
	if err != nil {
		return nil, err
	}
	set = append(set, b.cfg.NamedLimits()...)
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return slices.ContainsFunc(set, func(l tasks.Limit) bool { return l.Scope == tasks.ScopeName && l.Name == name })
	}), nil
}
