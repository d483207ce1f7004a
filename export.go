package baler

import (
	"context"
	"io"

	"github.com/balerhq/baler/internal/exchange"
	"github.com/balerhq/baler/internal/export"
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
	t, wrote, err := exchange.Export(ctx, b.store, id, format, w)
	return ExportReport{Transfer: t, Files: wrote.Files, Results: wrote.Results, Digest: wrote.Digest}, err
}
