package ingest

import (
	"context"
	"errors"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ErrFixitySubmit says that only a run compares files with earlier transfers.
var ErrFixitySubmit = errors.New("the recipe compares files with earlier transfers, which 'baler run' does")

// FixityMove is a file that is gone, and the new one that has its content.
type FixityMove struct{ From, To tasks.FileKey }

// fixityFound is what a fixity run has found, page by page.
type fixityFound struct {
	counts ledger.Fixity
	added  []tasks.FileKey
}

// CompareFixity compares all files that a transfer of a fixity run has registered with what
// the collection knew of them, and pairs those that are missing with new ones of the same
// content. Some of the moves come back, as many as shown.
func (g *Ingester) CompareFixity(
	ctx context.Context, runKey string, t *tasks.Transfer, shown int,
) (counts ledger.Fixity, moves []FixityMove, err error) {
	var found fixityFound
	for after := int64(0); ; {
		page, err := g.store.FoundFiles(ctx, runKey, t.ID, after, fixity.Page)
		if err != nil {
			return counts, nil, err
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].No
		if err := g.comparePage(ctx, runKey, t.ID, page, &found); err != nil {
			return counts, nil, err
		}
	}
	moves, moved, err := g.settleMoved(ctx, runKey, found.added, shown)
	if err != nil {
		return counts, nil, err
	}
	counts = found.counts
	counts.New -= moved
	counts.Moved = moved
	if counts.Missing, err = g.store.CountMissing(ctx, runKey); err != nil {
		return counts, nil, err
	}
	return counts, moves, g.store.ForgetNews(ctx, runKey, t.ID, t.Files)
}

// comparePage compares some files, and settles what does not depend on others.
func (g *Ingester) comparePage(ctx context.Context, runKey string, transfer int64, page []ledger.RereadFile, found *fixityFound) error {
	compared, err := g.compareContents(ctx, transfer, page)
	if err != nil {
		return err
	}
	var same, damaged, unread []int64
	for i, f := range page {
		if compared[i] == fixity.Unread {
			unread = append(unread, f.No)
		}
	}
	failed := map[tasks.FileKey]bool{} // else no step of the recipe was to read it
	if len(unread) > 0 {
		if failed, err = g.store.FailedFiles(ctx, map[int64][]int64{transfer: unread}); err != nil {
			return err
		}
	}
	n := &found.counts
	for i, f := range page {
		toCompare := f.Was.Transfer > 0
		switch {
		case toCompare && compared[i] == fixity.Differs:
			damaged = append(damaged, f.No)
			n.Damaged++
			continue
		case toCompare && compared[i] == fixity.Unread:
			if failed[tasks.FileKey{Transfer: transfer, File: f.No}] {
				n.Unread++
			} else {
				n.Unchanged++
				n.Uncompared++
			}
			continue // still to be compared
		case f.News == ledger.NewsAdded:
			found.added = append(found.added, tasks.FileKey{Transfer: transfer, File: f.No})
			n.New++
		case f.News == ledger.NewsChanged:
			n.Changed++
		default:
			n.Unchanged++
			if toCompare && compared[i] == fixity.Unknown {
				n.Uncompared++
			}
		}
		if toCompare {
			same = append(same, f.No)
		}
	}
	return g.store.SettleReread(ctx, runKey, transfer, tasks.NewRanges(same), tasks.NewRanges(damaged))
}

// settleMoved finds the missing files whose content is in new ones, and accepts that they
// are not where they were.
func (g *Ingester) settleMoved(
	ctx context.Context, runKey string, added []tasks.FileKey, shown int,
) (moves []FixityMove, moved int64, err error) {
	if len(added) == 0 {
		return nil, 0, nil
	}
	var at, contents []tasks.FileKey
	for after := (tasks.FileKey{}); ; after = at[len(at)-1] {
		page, err := g.store.MissingFiles(ctx, runKey, after, fixity.Page)
		if err != nil {
			return nil, 0, err
		}
		for _, m := range page {
			at, contents = append(at, m.At), append(contents, m.Content)
		}
		if len(page) < fixity.Page {
			break
		}
	}
	pairs, err := fixity.MatchMoved(ctx, g.store, contents, added)
	if err != nil {
		return nil, 0, err
	}
	accepted := make([]tasks.FileKey, len(pairs))
	for i, p := range pairs {
		accepted[i] = at[p.Gone]
		if i < shown {
			moves = append(moves, FixityMove{From: at[p.Gone], To: added[p.New]})
		}
	}
	for first := 0; first < len(accepted); first += fixity.Page {
		if err := g.store.AcceptFailures(ctx, runKey, accepted[first:min(first+fixity.Page, len(accepted))]); err != nil {
			return nil, 0, err
		}
	}
	return moves, int64(len(pairs)), nil
}
