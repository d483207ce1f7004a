package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/suggest"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// noteLimits says of each limit which applies to nothing that is known what that may be: a
// mistyped limit protects nothing. It is no error, because workers with the handler or of the
// queue may come later, and limits by name are set before the recipes that use them.
func (c *Controller) noteLimits(ctx context.Context, limits []tasks.Limit) error {
	if !slices.ContainsFunc(limits, func(l tasks.Limit) bool { return l.Scope != tasks.ScopeAll && l.Scope != tasks.ScopeTransfer }) {
		return nil
	}
	workers, err := c.store.Workers(ctx)
	if err != nil {
		return err
	}
	all, err := c.store.Limits(ctx)
	if err != nil {
		return err
	}
	known := c.knownTargets(workers, all)
	for i := range limits {
		limits[i].Note = known.note(&limits[i])
	}
	return nil
}

// noteUnusedName says of a limit by name that has just been set that nothing known uses the
// name. Lists of limits do not say so: a name is unused whenever no transfer is open.
func (c *Controller) noteUnusedName(ctx context.Context, l *tasks.Limit) error {
	if l.Scope != tasks.ScopeName || l.Unlimited() || slices.Contains(c.limitNames, l.Name) {
		return nil
	}
	workers, err := c.store.Workers(ctx)
	if err != nil {
		return err
	}
	for i := range workers {
		if slices.Contains(workers[i].LimitsWanted, l.Key()) {
			return nil
		}
	}
	texts, err := c.store.OpenRecipesWith(ctx, l.Name)
	if err != nil {
		return err
	}
	for _, text := range texts {
		r, err := recipe.Parse("recipe of a transfer", []byte(text))
		if err != nil || slices.Contains(r.LimitNames(), l.Name) {
			return nil //nolint:nilerr // a recipe that cannot be read may use it, and others report it
		}
	}
	applies := l.Note
	if applies == "" {
		applies = fmt.Sprintf(`it applies to steps that say "limits: [%s]"`, l.Name)
	}
	l.Note = "no recipe of an open transfer and no configuration here uses this name; " + applies
	return nil
}

// limitTargets are what limits can apply to, as far as this process knows.
type limitTargets struct {
	alive            bool // at least one worker lives
	handlers, queues []string
	names            []string // of limits by name that are set
	wanted           []string // of those that batches have just come to
}

func (c *Controller) knownTargets(workers []tasks.Worker, limits []tasks.Limit) limitTargets {
	k := limitTargets{alive: len(workers) > 0}
	for i := range workers {
		k.handlers = append(k.handlers, workers[i].Handlers...)
		k.queues = append(k.queues, workers[i].Queues...)
		for _, key := range workers[i].LimitsWanted {
			if name, ok := strings.CutPrefix(key, tasks.LimitKey(tasks.ScopeName, "")); ok {
				k.wanted = append(k.wanted, name)
			}
		}
	}
	if !k.alive {
		k.handlers, k.queues = c.handlers, c.queues
	}
	for i := range limits {
		if limits[i].Scope == tasks.ScopeName && !limits[i].Unlimited() {
			k.names = append(k.names, limits[i].Name)
		}
	}
	return k
}

// note says why a limit applies to nothing that is known; empty when it does, or may.
func (k *limitTargets) note(l *tasks.Limit) string {
	switch {
	case l.Unlimited() && l.Weight == 0:
		return ""
	case l.Scope == tasks.ScopeHandler && !slices.Contains(k.handlers, l.Name):
		return k.nobody("has the handler", l.Name, k.handlers)
	case l.Scope == tasks.ScopeQueue && !slices.Contains(k.queues, l.Name):
		return k.nobody("serves the queue", l.Name, k.queues)
	case l.Scope == tasks.ScopeName && !slices.Contains(k.wanted, l.Name):
		others := slices.DeleteFunc(slices.Concat(k.wanted, k.names), func(n string) bool { return n == l.Name })
		if hint := suggest.DidYouMean(l.Name, others...); hint != "" {
			return fmt.Sprintf(`it applies to steps that say "limits: [%s]"%s`, l.Name, hint)
		}
	}
	return ""
}

func (k *limitTargets) nobody(does, name string, known []string) string {
	who := "no live worker " + does
	if !k.alive {
		who = "no worker lives, and the settings here name none that " + does
	}
	return fmt.Sprintf("%s %q, so it applies to nothing until one does%s", who, name, suggest.DidYouMean(name, known...))
}
