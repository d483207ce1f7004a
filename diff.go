package baler

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Difference is a file that differs between two transfers.
type Difference = fixity.Difference

// DifferenceKind is how it differs: one of the names that FixityCounts has in JSON.
type DifferenceKind = fixity.Kind

// Kinds of differences that say more than a path.
const (
	DifferenceMoved   = fixity.KindMoved   // To is set
	DifferenceChanged = fixity.KindChanged // Content is set
)

// Errors of Diff and FixityFindings.
var (
	ErrDiffRunning = errors.New("the transfer has not ended")
	ErrDiffChunks  = errors.New("the transfer has chunks of files, which a recipe splits; only whole files can be compared")
	ErrNoFixity    = errors.New("the transfer is not of a run with a fixity recipe")
)

// Diff compares the files of transfer to with those of transfer from, by their paths relative
// to the sources: by digests, and by size and modification time. It calls found with each
// difference.
func (b *Baler) Diff(ctx context.Context, from, to tasks.Transfer, found func(Difference) error) (FixityCounts, error) {
	for _, t := range []*tasks.Transfer{&from, &to} {
		if !t.State.Ended() {
			return FixityCounts{}, fmt.Errorf("transfer %d: %w", t.ID, ErrDiffRunning)
		}
		if r, err := recipe.Parse("", []byte(t.Recipe)); err == nil && r.Split > 0 {
			return FixityCounts{}, fmt.Errorf("transfer %d: %w", t.ID, ErrDiffChunks)
		}
	}
	counts, err := fixity.Diff(ctx, b.store, &from, &to, found)
	if err != nil {
		return counts, fmt.Errorf("compare transfers: %w", err)
	}
	return counts, nil
}

// HasOnlyChanges reports whether a transfer is of a run that had only the files that an
// earlier one had not processed as they were.
func (b *Baler) HasOnlyChanges(ctx context.Context, t tasks.Transfer) (bool, error) {
	if r, err := recipe.Parse("", []byte(t.Recipe)); err == nil && r.Fixity {
		return false, nil
	}
	return b.store.FollowsRun(ctx, t.ID)
}
