// Package exchange takes transfers out of a database and into another: it writes what
// internal/export makes of one transfer, in bounded memory, and reads the lines again.
package exchange

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// filePage is how many files are held in memory at a time; resultPage is how many results,
// whose output may be long.
const (
	filePage   = 1000
	resultPage = 200
)

// Export writes the files and results of a transfer to w, as all of them were at the moment of
// the call. It returns the transfer of that moment, and what it wrote.
func Export(
	ctx context.Context, s *store.Store, id string, format export.Format, w io.Writer,
) (t tasks.Transfer, wrote export.RowTotals, err error) {
	err = s.Snapshot(ctx, func(view *store.Store) error {
		if t, err = view.Transfer(ctx, id); err != nil {
			return err
		}
		wrote, err = export.Write(w, format, sourceOf(ctx, view, &t))
		if err == nil && format == export.JSONLines && wrote.Files != t.Files {
			err = fmt.Errorf("transfer %s has %d of %s in the database: rows of the table files are missing",
				t.UUID, wrote.Files, english.Plural(int(t.Files), "file", ""))
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("export transfer: %w", err)
	}
	return t, wrote, err
}

// sourceOf reads a transfer page by page.
func sourceOf(ctx context.Context, s *store.Store, t *tasks.Transfer) *export.Source {
	return &export.Source{
		Transfer: *t, At: s.DB().Stamp(),
		Files: keyset.Paginate(filePage, func(after int64) ([]tasks.File, error) {
			return s.FilesAfter(ctx, t.ID, after, filePage, false)
		}, func(f *tasks.File) int64 { return f.No }),
		Results: exportedResults(ctx, s, t),
	}
}

func exportedResults(ctx context.Context, s *store.Store, t *tasks.Transfer) iter.Seq2[tasks.ResultRow, error] {
	return keyset.Paginate(resultPage, func(after tasks.ResultKey) ([]tasks.ResultRow, error) {
		return s.Results(ctx, t.ID, tasks.ResultSelector{}, after, resultPage)
	}, (*tasks.ResultRow).Key)
}
