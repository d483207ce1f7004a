package baler

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// LatestTransfer is the reference to the newest transfer.
const LatestTransfer = "latest"

// ErrEmptyRef is the error for a reference to a transfer without any text.
var ErrEmptyRef = errors.New("the id of the transfer is empty; give its number, id or name, or latest")

// candidates is how many transfers an AmbiguousError names.
const candidates = 10

// AmbiguousError is the error of FindTransfer when several transfers fit.
type AmbiguousError struct {
	Ref        string
	Candidates []tasks.Transfer // the newest that fit
	More       bool             // older ones fit too
}

func (e *AmbiguousError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q fits several transfers; give the number of one, or more of its id:", e.Ref)
	for _, t := range e.Candidates {
		fmt.Fprintf(&b, "\n%d  %s  %s  %s  %q", t.ID, t.UUID, t.CreatedAt.UTC().Format("2006-01-02T15:04:05Z"), t.State, t.Name)
	}
	if e.More {
		b.WriteString("\n… and older ones")
	}
	return b.String()
}

// FindTransfer reads a transfer by its id or the beginning of the id, its number, its
// name, or LatestTransfer. The error is tasks.ErrTransferNotFound when none fits, a
// *tasks.DeletedError when it was deleted, and an *AmbiguousError when several fit.
func (b *Baler) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	if ref == "" {
		return tasks.Transfer{}, ErrEmptyRef
	}
	if ref == LatestTransfer {
		return b.latestTransfer(ctx)
	}
	found, err := b.store.FindTransfers(ctx, ref, candidates+1)
	switch {
	case err != nil:
		return tasks.Transfer{}, err
	case len(found) == 0:
		return tasks.Transfer{}, b.store.NotFound(ctx, ref)
	case len(found) == 1:
		return found[0], nil
	}
	for _, t := range found {
		if t.UUID == ref { // another one may have it as its name
			return t, nil
		}
	}
	shown := found[:min(len(found), candidates)]
	return tasks.Transfer{}, &AmbiguousError{Ref: ref, Candidates: shown, More: len(found) > len(shown)}
}

func (b *Baler) latestTransfer(ctx context.Context) (tasks.Transfer, error) {
	newest, err := b.store.Transfers(ctx, 0, 1)
	if err != nil {
		return tasks.Transfer{}, err
	}
	if len(newest) == 0 {
		return tasks.Transfer{}, fmt.Errorf("%w: there are no transfers yet", tasks.ErrTransferNotFound)
	}
	return newest[0], nil
}
