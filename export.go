package baler

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

// ExportFormat is how Export writes a transfer.
type ExportFormat = export.Format

// The formats of Export.
const (
	ExportJSONLines ExportFormat = export.JSONLines // the transfer, its files and its results
	ExportCSV       ExportFormat = export.CSV       // a row for each result
	ExportParquet   ExportFormat = export.Parquet   // a row for each result
)

// ExportFormats lists the formats of Export.
func ExportFormats() []ExportFormat { return export.Formats() }

// ExportReport says what Export has written.
type ExportReport struct {
	Transfer tasks.Transfer // as it was at that moment, which may be before its end
	Files    int64          // 0 in formats that have only results
	Results  int64
	Digest   string // of JSON lines, see docs/export.md
}

// Export writes the files and results of a transfer to w, in bounded memory, as all of them
// were at the moment of the call: also when workers record and people retry meanwhile. After
// an error the output is not complete.
func (b *Baler) Export(ctx context.Context, id string, format ExportFormat, w io.Writer) (done ExportReport, err error) {
	err = b.store.Snapshot(ctx, func(view *store.Store) error {
		t, err := view.Transfer(ctx, id)
		if err != nil {
			return err
		}
		counts, err := export.Write(w, format, exportSource(ctx, view, &t))
		done = ExportReport{Transfer: t, Files: counts.Files, Results: counts.Results, Digest: counts.Digest}
		if err == nil && format == ExportJSONLines && counts.Files != t.Files {
			err = fmt.Errorf("transfer %s has %d of %s in the database: rows of the table files are missing",
				t.UUID, counts.Files, english.Plural(int(t.Files), "file", ""))
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("export transfer: %w", err)
	}
	return done, err
}

// exportLines writes a transfer as JSON lines, and returns what it was at that moment.
func (b *Baler) exportLines(ctx context.Context, id string, w io.Writer) (tasks.Transfer, error) {
	done, err := b.Export(ctx, id, ExportJSONLines, w)
	return done.Transfer, err
}

// exportSource reads a transfer page by page.
func exportSource(ctx context.Context, s *store.Store, t *tasks.Transfer) *export.Source {
	return &export.Source{
		Transfer: *t, At: s.DB().Stamp(),
		Files: keyset.Paginate(resultPage, func(after int64) ([]tasks.File, error) {
			return s.FilesAfter(ctx, t.ID, after, resultPage, false)
		}, func(f *tasks.File) int64 { return f.No }),
		Results: exportedResults(ctx, s, t),
	}
}

// exportPage is how many results Export holds in memory: their output may be long.
const exportPage = 200

func exportedResults(ctx context.Context, s *store.Store, t *tasks.Transfer) iter.Seq2[tasks.ResultRow, error] {
	return keyset.Paginate(exportPage, func(after tasks.ResultKey) ([]tasks.ResultRow, error) {
		return s.Results(ctx, t.ID, tasks.ResultSelector{}, after, exportPage)
	}, (*tasks.ResultRow).Key)
}
