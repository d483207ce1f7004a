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

// Imported says what Import has done with one transfer.
type Imported = exchange.Imported

// BrokenLine is a line that is not what Export has written.
type BrokenLine = export.BrokenLine //nolint:errname // it is one of a BrokenLinesError

// BrokenLinesError names the lines of an import that are broken, and says that nothing was
// imported.
type BrokenLinesError = exchange.BrokenLinesError

// ErrImportDiffers is the error for a transfer that the database has with other content.
var ErrImportDiffers = exchange.ErrImportDiffers

// Import reads transfers that Export has written as JSON lines into the database. It first
// reads all of them: if a line is broken it imports nothing, and returns a *BrokenLinesError.
// An import that was cut off goes on when it is repeated; nobody sees a transfer before it is
// complete, and is the same as in its export. A transfer that is there already stays as it is,
// and an ErrImportDiffers says when it is another. done is called after each transfer.
func (b *Baler) Import(ctx context.Context, r io.ReadSeeker, done func(Imported)) error {
	return exchange.Import(ctx, b.store, r, done)
}

// JournalImport says what ImportJournal is told and tells.
type JournalImport = exchange.JournalImport

// CutOff is a journal file whose last transfer is not complete.
type CutOff = exchange.CutOff

// IsJournal reports whether a path names a folder, or a file that a process has written to its
// journal: ImportJournal reads these.
func IsJournal(path string) bool { return exchange.IsJournal(path) }

// ImportJournal imports transfers from journal files, and from those of folders. It reads all of
// them before it imports: a file that is broken anywhere but at its end is an error, a
// *BrokenLinesError where it has lines, and nothing is imported. Of a transfer that the files
// have several times it imports the one that ended last. Transfers that the database has are
// treated as by Import; one that differs does not keep back the others.
func (b *Baler) ImportJournal(ctx context.Context, paths []string, o JournalImport) error {
	return exchange.ImportJournal(ctx, b.store, paths, o)
}

// exportLines writes a transfer as JSON lines, and returns what it was at that moment.
func (b *Baler) exportLines(ctx context.Context, id string, w io.Writer) (tasks.Transfer, error) {
	done, err := b.Export(ctx, id, ExportJSONLines, w)
	return done.Transfer, err
}
