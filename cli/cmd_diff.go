package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) diffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff ID [ID]",
		Short: "Compare the files of two transfers",
		Long: `Diff compares the files of the second transfer with those of the first, by their
paths relative to the sources and by the digests that both recorded, and lists what
is damaged, changed, not readable, moved, missing and new. Where there is no digest
to compare, it compares size and modification time, and reports for how many files.

With one transfer, of a run with a fixity recipe, it lists all files of its sources
that are damaged or missing now.

It exits with 3 when a file is damaged, missing or not readable.`,
		Example: `  baler diff 1 latest
  baler diff nightly latest --json
  baler diff latest`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: p.completeTransfers(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.diff(ctx, b, args)
			})
		},
	}
}

func (p *program) diff(ctx context.Context, b *baler.Baler, ids []string) error {
	var of []tasks.Transfer
	for _, id := range ids {
		t, err := direct{b}.FindTransfer(ctx, id)
		if err != nil {
			return err
		}
		of = append(of, t)
	}
	counts, err := p.listDifferences(ctx, b, of)
	if errors.Is(err, baler.ErrNoFixity) {
		return usagef("transfer %s is not of a run with a fixity recipe; name two transfers to compare", number(&of[0]))
	}
	if err != nil {
		return err
	}
	if err := p.summarizeDiff(of, counts); err != nil {
		return err
	}
	if err := p.notePartial(ctx, b, of, counts); err != nil {
		return err
	}
	if counts.Bad() {
		return codeError(exitFailures)
	}
	return nil
}

// listDifferences writes the differences, one a line.
func (p *program) listDifferences(ctx context.Context, b *baler.Baler, of []tasks.Transfer) (baler.FixityCounts, error) {
	w := bufio.NewWriterSize(p.stdout, 64<<10)
	defer func() { _ = w.Flush() }() // output remembers the error
	found := func(d baler.Difference) error {
		_, err := fmt.Fprintln(w, differenceText(&d))
		return err
	}
	if p.json {
		buffered := *p
		buffered.stdout = &output{w: w}
		found = func(d baler.Difference) error { return buffered.object(newDifferenceLine(&d)) }
	}
	if len(of) == 1 {
		return b.FixityFindings(ctx, of[0], found)
	}
	return b.Diff(ctx, of[0], of[1], found)
}

// differenceLine is a difference in JSON.
type differenceLine struct {
	Type string `json:"type"`
	Kind string `json:"kind"`
	filePath
	To      *filePath `json:"to,omitempty"`
	Content string    `json:"content,omitempty"` // of a changed file
}

func newDifferenceLine(d *baler.Difference) differenceLine {
	l := differenceLine{Type: "difference", Kind: string(d.Kind), filePath: newFilePath(d.Path)}
	if d.Kind == baler.DifferenceMoved {
		l.To = new(newFilePath(d.To))
	}
	if d.Kind == baler.DifferenceChanged {
		l.Content = d.Content.String()
	}
	return l
}

func differenceText(d *baler.Difference) string {
	text := fmt.Sprintf("%-8s %s", d.Kind, quoted(d.Path))
	switch {
	case d.Kind == baler.DifferenceMoved:
		text += " to " + quoted(d.To)
	case d.Kind == baler.DifferenceChanged && d.Content.String() == "same":
		text += "  (same content)"
	}
	return text
}

// summarizeDiff writes the counts.
func (p *program) summarizeDiff(of []tasks.Transfer, counts baler.FixityCounts) error {
	if p.json {
		s := struct {
			Type string `json:"type"`
			From string `json:"from,omitempty"`
			To   string `json:"to"`
			baler.FixityCounts
		}{Type: "diff", To: of[len(of)-1].UUID, FixityCounts: counts}
		if len(of) == 2 {
			s.From = of[0].UUID
		}
		return p.object(s)
	}
	if len(of) == 1 {
		p.printf("%s damaged, %s missing.", count(counts.Damaged), count(counts.Missing))
		return nil
	}
	p.printf("Transfer %s compared with %s: %s.", number(&of[1]), number(&of[0]), fixityText(counts))
	if counts.Uncompared > 0 {
		p.printf("%s no digest to compare: compared by size and time only.", have(counts.Uncompared))
	}
	return nil
}

// notePartial says why files may seem to be missing.
func (p *program) notePartial(ctx context.Context, b *baler.Baler, of []tasks.Transfer, counts baler.FixityCounts) error {
	if len(of) < 2 || counts.Missing+counts.New == 0 {
		return nil
	}
	for i := range of {
		part, err := b.HasOnlyChanges(ctx, of[i])
		if err != nil {
			return err
		}
		if part {
			p.notef("Transfer %s has only the files that its run processed: those that had not changed since an earlier run are not in it.",
				number(&of[i]))
		}
	}
	return nil
}
