package control

import (
	"context"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/tasks"
)

// HasOnlyChanges reports whether a transfer is of a run that had only the files that an
// earlier one had not processed as they were.
func (c *Controller) HasOnlyChanges(ctx context.Context, t tasks.Transfer) (bool, error) {
	if fixity.HasRecipe(&t) {
		return false, nil
	}
	return c.store.FollowsRun(ctx, t.ID)
}
