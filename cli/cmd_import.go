package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

// importObject is what import reports with --json, one for each transfer.
type importObject struct {
	Type     string `json:"type"` // always "import"
	Transfer string `json:"transfer"`
	Files    int64  `json:"files"`
	Results  int64  `json:"results"`
	There    bool   `json:"there"` // the database had it already
}

func (p *program) importCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE…",
		Short: "Import transfers that were exported as JSON lines, or from the journal",
		Long: `Import reads what 'baler export --format jsonl' has written, of one transfer or of
several one after the other, into the database. FILE may be - for standard input.

It reads the whole input first; if a line is broken, it names that line and imports
nothing. After an interruption, run it again to continue: transfers that the database
has already stay as they are. Before a transfer appears, its files and results are
read back from the database, and must have the counts and the digest of the export.
Only transfers that have ended can be imported. None of their steps run, and no
webhook is sent.

A folder, or a file whose name begins with baler-journal-, is read as a journal
(journal.dir): it may be compressed, and the last transfer of a file may be cut off.
Of a transfer that several files have, the one that ended last is imported.`,
		Example: `  baler import scans.jsonl
  baler import /var/lib/baler/journal
  baler export 12 | baler import - --database mysql://baler@db/archive`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				journal := slices.ContainsFunc(args, baler.IsJournal)
				if len(args) > 1 || journal {
					return p.importJournal(ctx, b, args)
				}
				return p.importFile(ctx, b, args[0])
			})
		},
	}
}

func (p *program) importFile(ctx context.Context, b *baler.Baler, name string) (err error) {
	file, err := p.importSource(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if name == "-" {
		name = "standard input"
		defer func() { err = errors.Join(err, os.Remove(file.Name())) }()
	}
	err = b.Import(ctx, file, p.imported)
	if broken, ok := errors.AsType[*baler.BrokenLinesError](err); ok {
		return fmt.Errorf("%s: %s", printable(name), strings.ReplaceAll(broken.Error(), "\n", "\n"+printable(name)+": "))
	}
	return err
}

// imported reports one transfer.
func (p *program) imported(i baler.Imported) {
	if p.json {
		_ = p.object(importObject{"import", i.Transfer, i.Files, i.Results, i.There}) // output remembers the error
		return
	}
	what := fmt.Sprintf("%s and %s", plural(i.Files, "file"), plural(i.Results, "result"))
	if i.There {
		p.printf("Transfer %s is in the database already, with the same %s.", i.Transfer, what)
		return
	}
	p.printf("Imported transfer %s: %s.", i.Transfer, what)
}

func (p *program) importJournal(ctx context.Context, b *baler.Baler, paths []string) error {
	return b.ImportJournal(ctx, paths, baler.JournalImport{
		Done: p.imported,
		CutOff: func(c baler.CutOff) {
			p.notef("note: %s is cut off after %s: the process that wrote it died. "+
				"The transfer that it began is in another file, or was not journaled.",
				printable(c.File), plural(int64(c.After), "transfer"))
		},
	})
}

// importSource opens a file. Standard input is written to a temporary file, because an import
// reads it twice.
func (p *program) importSource(name string) (*os.File, error) {
	if name != "-" {
		return os.Open(name)
	}
	file, err := os.CreateTemp("", "baler-import-*.jsonl")
	if err != nil {
		return nil, fmt.Errorf("keep standard input: %w", err)
	}
	_, err = io.Copy(file, p.stdin)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keep standard input: %w", err), file.Close(), os.Remove(file.Name()))
	}
	return file, nil
}
