package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

func (p *program) resultsCommand() *cobra.Command {
	var f filterFlags
	var rejects bool
	cmd := &cobra.Command{
		Use:   "results ID",
		Short: "List the results of a transfer",
		Long: `Results prints one line per result, ordered by step and file. With --json it
prints one object per result, with all its fields. With --rejected it lists the
lines that a load rejected, with their numbers and reasons.`,
		Example: `  baler results 12
  baler results 12 --outcome failed,error,timed_out
  baler results latest --step identify --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := f.resultFilter(cmd)
			if err != nil {
				return err
			}
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				if rejects {
					return p.listRejectedLines(ctx, b, args[0])
				}
				return p.results(ctx, b, args[0], filter)
			})
		},
	}
	cmd.Flags().SortFlags = false
	f.add(cmd)
	cmd.Flags().BoolVar(&rejects, "rejected", false, "list the lines that a load rejected")
	for _, other := range []string{"step", "outcome", "file"} {
		cmd.MarkFlagsMutuallyExclusive("rejected", other)
	}
	return cmd
}

func (p *program) results(ctx context.Context, b *baler.Baler, id string, filter baler.ResultFilter) (err error) {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	if err := hasStep(&t, filter.Step); err != nil {
		return err
	}
	if filter.File > t.Files {
		return fmt.Errorf("transfer %s has no file %d; its files are numbered from 1 to %d", number(&t), filter.File, t.Files)
	}
	w := bufio.NewWriterSize(p.stdout.w, 64<<10)
	buffered := *p
	buffered.stdout = &output{w: w}
	defer func() {
		if flushErr := w.Flush(); flushErr != nil {
			err = errors.Join(err, fmt.Errorf("write output: %w", flushErr))
		}
	}()
	for line, err := range b.Results(ctx, t, filter) {
		if err != nil {
			return err
		}
		if !p.json {
			buffered.printf("%s", resultText(&line))
			continue
		}
		if err := buffered.object(line); err != nil {
			return err
		}
	}
	return nil
}

// hasStep complains of a step that the transfer's recipe does not have.
func hasStep(t *tasks.Transfer, name string) error {
	names := make([]string, len(t.Steps))
	for i := range t.Steps {
		if names[i] = t.Steps[i].Name; names[i] == name {
			return nil
		}
	}
	if name == "" {
		return nil
	}
	return fmt.Errorf("transfer %s has no step %q; it has %s", number(t), name, strings.Join(names, ", "))
}
