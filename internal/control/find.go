package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// LatestTransfer is the reference to the newest transfer.
const LatestTransfer = "latest"

// ErrEmptyRef is the error for a reference to a transfer without any text.
var ErrEmptyRef = errors.New("the id of the transfer is empty; give its number, id or name, or latest")

// candidates is how many transfers an AmbiguousError names.
const candidates = 10

// FindTransfer reads a transfer by its id or the beginning of the id, its number, its
// name, or LatestTransfer. The error is tasks.ErrTransferNotFound when none fits, a
// *tasks.DeletedError when it was deleted, and a *tasks.AmbiguousError when several fit.
func (c *Controller) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	if ref == "" {
		return tasks.Transfer{}, ErrEmptyRef
	}
	if ref == LatestTransfer {
		return c.latestTransfer(ctx)
	}
	found, err := c.store.FindTransfers(ctx, ref, candidates+1)
	switch {
	case err != nil:
		return tasks.Transfer{}, err
	case len(found) == 0:
		return tasks.Transfer{}, c.store.NotFound(ctx, ref)
	case len(found) == 1:
		return found[0], nil
	}
	for _, t := range found {
		if t.UUID == ref { // another one may have it as its name
			return t, nil
		}
	}
	shown := found[:min(len(found), candidates)]
	return tasks.Transfer{}, &tasks.AmbiguousError{Ref: ref, Candidates: shown, More: len(found) > len(shown)}
}

func (c *Controller) latestTransfer(ctx context.Context) (tasks.Transfer, error) {
	newest, err := c.store.Transfers(ctx, 0, 1)
	if err != nil {
		return tasks.Transfer{}, err
	}
	if len(newest) == 0 {
		return tasks.Transfer{}, fmt.Errorf("%w: there are no transfers yet", tasks.ErrTransferNotFound)
	}
	return newest[0], nil
}
