package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
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
		Use:   "import FILE",
		Short: "Import transfers that were exported as JSON lines",
		Long: `Import reads what 'baler export --format jsonl' has written, of one transfer or of
several one after the other, into the database. FILE may be - for standard input.

It reads the whole input first; if a line is broken, it names that line and imports
nothing. After an interruption, run it again to continue: transfers that the database
has already stay as they are. Before a transfer appears, its files and results are
read back from the database, and must have the counts and the digest of the export.
Only transfers that have ended can be imported. None of their steps run, and no
webhook is sent.`,
		Example: `  baler import scans.jsonl
  baler export 12 | baler import - --database mysql://baler@db/archive`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
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
	err = b.Import(ctx, file, func(i baler.Imported) {
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
	})
	if broken, ok := errors.AsType[*baler.BrokenLinesError](err); ok {
		return fmt.Errorf("%s: %s", printable(name), strings.ReplaceAll(broken.Error(), "\n", "\n"+printable(name)+": "))
	}
	return err
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
