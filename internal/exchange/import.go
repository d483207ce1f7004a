package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// BrokenLinesError names the lines of an import that are broken, and says that nothing was
// imported.
type BrokenLinesError struct {
	Lines []export.BrokenLine // the first of them
	More  int
}

func (e *BrokenLinesError) Error() string {
	texts := make([]string, 0, len(e.Lines)+1)
	for _, l := range e.Lines {
		texts = append(texts, l.Error())
	}
	if e.More > 0 {
		texts = append(texts, fmt.Sprintf("… and %d more lines", e.More))
	}
	return strings.Join(append(texts, "nothing was imported"), "\n")
}

// ErrImportDiffers is the error for a transfer that the database has with other content.
var ErrImportDiffers = errors.New("the database has the transfer with other content")

// mostBroken is how many broken lines an error names.
const mostBroken = 20

// Imported says what Import has done with one transfer.
type Imported struct {
	Transfer string // its id
	Files    int64
	Results  int64
	There    bool // the database had it already, and it is the same
}

// Import reads transfers that Export has written as JSON lines into the database. It first
// reads all of them: if a line is broken it imports nothing, and returns a *BrokenLinesError.
// An import that was cut off goes on when it is repeated; nobody sees a transfer before it is
// complete, and is the same as in its export. A transfer that is there already stays as it is,
// and an ErrImportDiffers says when it is another. done is called after each transfer.
func Import(ctx context.Context, s *store.Store, r io.ReadSeeker, done func(Imported)) error {
	if err := checkImport(ctx, r); err != nil {
		return err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	i := importer{ctx: ctx, store: s}
	for record, err := range export.Scan(r) {
		if err := i.next(&record, err, done); err != nil {
			return err
		}
	}
	return nil
}

func checkImport(ctx context.Context, r io.Reader) error {
	var broken BrokenLinesError
	for _, err := range export.Scan(r) {
		line, isBroken := errors.AsType[export.BrokenLine](err)
		switch {
		case isBroken && len(broken.Lines) < mostBroken:
			broken.Lines = append(broken.Lines, line)
		case isBroken:
			broken.More++
		case err != nil:
			return fmt.Errorf("import: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if len(broken.Lines) > 0 {
		return &broken
	}
	return nil
}

// importer writes one transfer after the other, a page at a time.
type importer struct {
	ctx   context.Context //nolint:containedctx // it lives as long as one call
	store *store.Store

	transfer *tasks.Transfer
	id       int64
	there    bool // nothing of it is written
	files    []tasks.File
	results  []tasks.Result
}

// next imports a line that was read with an error or without.
func (i *importer) next(record *export.Record, err error, done func(Imported)) error {
	if err == nil {
		err = i.ctx.Err()
	}
	if err == nil {
		err = i.take(record)
	}
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if record.End != nil {
		done(Imported{i.transfer.UUID, record.End.Files, record.End.Results, i.there})
	}
	return nil
}

func (i *importer) take(r *export.Record) (err error) {
	switch {
	case r.Transfer != nil:
		i.transfer = r.Transfer
		i.id, err = i.store.BeginImport(i.ctx, r.Transfer)
		if i.there = errors.Is(err, store.ErrTransferExists); i.there {
			err = nil
		}
	case i.there && r.End != nil:
		err = i.compareExisting(r.End)
	case i.there:
	case r.File != nil:
		if i.files = append(i.files, *r.File); len(i.files) == filePage {
			err = i.flush()
		}
	case r.Result != nil:
		if len(i.files) > 0 || len(i.results) > 0 && (i.results[0].Step != r.Result.Step || len(i.results) == resultPage) {
			err = i.flush()
		}
		i.results = append(i.results, *r.Result)
	case r.End != nil:
		err = i.end(r.End)
	}
	return err
}

func (i *importer) flush() error {
	if len(i.files) > 0 {
		if err := i.store.ImportFiles(i.ctx, i.id, i.files); err != nil {
			return err
		}
	}
	if len(i.results) > 0 {
		if err := i.store.ImportResults(i.ctx, i.id, i.results); err != nil {
			return err
		}
	}
	i.files, i.results = i.files[:0], i.results[:0]
	return nil
}

// end compares what was written with what was read, and shows the transfer then.
func (i *importer) end(want *export.RowTotals) error {
	if err := i.flush(); err != nil {
		return err
	}
	written := *i.transfer
	written.ID = i.id
	source := sourceOf(i.ctx, i.store, &written)
	source.Files = keyset.Paginate(filePage, func(after int64) ([]tasks.File, error) {
		return i.store.ImportedFiles(i.ctx, i.id, after, filePage)
	}, func(f *tasks.File) int64 { return f.No })
	if err := compare(source, want); err != nil {
		return err
	}
	return i.store.EndImport(i.ctx, i.id, i.transfer)
}

// compareExisting compares a transfer of the database with the export.
func (i *importer) compareExisting(want *export.RowTotals) error {
	return i.store.Snapshot(i.ctx, func(view *store.Store) error {
		t, err := view.Transfer(i.ctx, i.transfer.UUID)
		if err != nil {
			return err
		}
		return compare(sourceOf(i.ctx, view, &t), want)
	})
}

func compare(source *export.Source, want *export.RowTotals) error {
	got, err := export.Write(io.Discard, export.JSONLines, source)
	if err != nil {
		return err
	}
	if got != *want {
		return fmt.Errorf("%w: transfer %s: files %d, results %d, digest %s; in the export: files %d, results %d, digest %s",
			ErrImportDiffers, source.Transfer.UUID, got.Files, got.Results, got.Digest, want.Files, want.Results, want.Digest)
	}
	return nil
}
