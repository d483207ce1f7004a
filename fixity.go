package baler

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// FixityCounts counts files by how they compare with what they were.
type FixityCounts = ledger.Fixity

// FixityResult is what a run with a fixity recipe has found.
type FixityResult struct {
	FixityCounts

	MissingFiles []tasks.File // the first of those that are missing
	MovedFiles   []MovedFile  // the first of those that are moved
}

// MovedFile is a file that is gone, and the new file that has its content.
type MovedFile struct{ From, To tasks.File }

// fixityShown is how many files of a kind a FixityResult has.
const fixityShown = 10

// compare compares files that were read again with what earlier runs recorded.
func (r *RunResult) compare(ctx context.Context, b *Baler, s *ingest.TransferRequest, runKey string) error {
	if s.Recipe.Fixity {
		return r.compareFixity(ctx, b, runKey)
	}
	if !r.Resumed && r.Changes.Retried+r.Changes.Reread == 0 {
		return nil
	}
	if err := b.ingester.CompareReread(ctx, runKey, r.Transfer.ID); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// compareFixity compares the files of the transfer that ran with what the collection knew.
func (r *RunResult) compareFixity(ctx context.Context, b *Baler, runKey string) error {
	counts, moves, err := b.ingester.CompareFixity(ctx, runKey, &r.Transfer, fixityShown)
	if err != nil {
		return fmt.Errorf("run: compare with earlier transfers: %w", err)
	}
	r.Fixity = &FixityResult{FixityCounts: counts}
	missing, err := b.store.MissingFiles(ctx, runKey, tasks.FileKey{}, fixityShown)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	keys := make([]tasks.FileKey, 0, len(missing)+2*len(moves))
	for _, m := range missing {
		keys = append(keys, m.At)
	}
	for _, m := range moves {
		keys = append(keys, m.From, m.To)
	}
	files, err := fixity.FilesOf(ctx, b.store, keys)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	for _, m := range missing {
		r.Fixity.MissingFiles = append(r.Fixity.MissingFiles, files[m.At])
	}
	for _, m := range moves {
		r.Fixity.MovedFiles = append(r.Fixity.MovedFiles, MovedFile{From: files[m.From], To: files[m.To]})
	}
	return nil
}

// tellFixity counts all that is damaged, and sends the transfer's webhooks a message when
// files are damaged or missing.
func (r *RunResult) tellFixity(ctx context.Context, b *Baler) error {
	if r.Fixity == nil {
		return nil
	}
	r.Fixity.Damaged = r.DamagedFiles
	if r.Fixity.Damaged+r.Fixity.Missing == 0 {
		return nil
	}
	if err := b.store.NoteFixity(ctx, r.Transfer.ID, r.Fixity.FixityCounts); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// FixityFindings calls found with each file that is damaged or missing now, as far as the runs
// know that follow one another like the one that made a transfer. Those of runs without a
// fixity recipe are ErrNoFixity.
func (b *Baler) FixityFindings(ctx context.Context, t tasks.Transfer, found func(Difference) error) (counts FixityCounts, err error) {
	if !fixity.HasRecipe(&t) {
		return counts, ErrNoFixity
	}
	runKey, err := b.store.RunKey(ctx, t.ID)
	if err != nil {
		return counts, err
	}
	report := func(kind DifferenceKind, keys []tasks.FileKey) error {
		files, err := fixity.FilesOf(ctx, b.store, keys)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if err := found(Difference{Kind: kind, Path: files[k].Path, Was: k}); err != nil {
				return err
			}
		}
		return nil
	}
	var keys []tasks.FileKey
	for after := (tasks.FileKey{}); ; after = keys[len(keys)-1] {
		if keys, err = b.store.DamagedAfter(ctx, runKey, after, fixity.Page); err != nil || len(keys) == 0 {
			break
		}
		counts.Damaged += int64(len(keys))
		if err = report(fixity.KindDamaged, keys); err != nil {
			break
		}
	}
	for after := (tasks.FileKey{}); err == nil; after = keys[len(keys)-1] {
		missing, missingErr := b.store.MissingFiles(ctx, runKey, after, fixity.Page)
		if err = missingErr; err != nil || len(missing) == 0 {
			break
		}
		keys = keys[:0]
		for _, m := range missing {
			keys = append(keys, m.At)
		}
		counts.Missing += int64(len(keys))
		err = report(fixity.KindMissing, keys)
	}
	if err != nil {
		return counts, fmt.Errorf("list what is damaged or missing: %w", err)
	}
	return counts, nil
}

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
	ErrDiffRunning = fixity.ErrDiffRunning
	ErrDiffChunks  = fixity.ErrDiffChunks
	ErrNoFixity    = errors.New("the transfer is not of a run with a fixity recipe")
)

// Diff compares the files of transfer to with those of transfer from, by their paths relative
// to the sources: by digests, and by size and modification time. It calls found with each
// difference.
func (b *Baler) Diff(ctx context.Context, from, to tasks.Transfer, found func(Difference) error) (FixityCounts, error) {
	return fixity.Diff(ctx, b.store, &from, &to, found)
}

// HasOnlyChanges reports whether a transfer is of a run that had only the files that an
// earlier one had not processed as they were.
func (b *Baler) HasOnlyChanges(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.control.HasOnlyChanges(ctx, t)
}
