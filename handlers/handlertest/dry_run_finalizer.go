package handlertest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

// FinalizerDryRun runs a Finalizer by itself: one try, with no queue and no
// database. Package handlertest makes tests of it.
type FinalizerDryRun struct {
	Args     any                     // what the recipe's `with` would give
	Transfer tasks.Transfer          // an ID and the number of files are made up when they are missing
	Files    []handlers.FinalFile    // numbered from 1 where they have no number, ascending
	Results  []tasks.Result          // in any order
	Roots    []string                // folders that may be read; the files themselves when empty
	Written  handlers.WrittenOutputs // what earlier runs wrote; nil when there were none
	Base     string                  // folder that relative paths are written below; others are refused. Required
}

// Run returns the step as it ended, done or failed, with its error or warning.
func (t FinalizerDryRun) Run(ctx context.Context, h handlers.Finalizer) (tasks.FinalizeStep, error) {
	step := tasks.FinalizeStep{Number: 1, Name: dryRun, Handler: dryRun, Attempts: 1}
	t.Transfer.ID = 0 // as of all its files
	lines := newDryRunResults(t.Files, t.Results)
	if t.Transfer.UUID == "" {
		t.Transfer.UUID = newUUID()
	}
	if t.Transfer.Files == 0 {
		t.Transfer.Files, t.Transfer.Finished = int64(len(lines.files)), int64(len(lines.files))
	}
	dirs := t.Roots
	for i := range lines.files {
		if len(t.Roots) == 0 {
			dirs = append(dirs, lines.files[i].Path)
		}
	}
	roots, err := handlers.NewRoots(dirs)
	if err != nil {
		return step, err
	}
	defer roots.Close()
	outputs, err := handlers.NewOutputRoots([]string{t.Base})
	if err != nil {
		return step, fmt.Errorf("dry run: %w", err)
	}
	c := handlers.NewTransferJob(handlers.TransferJobSpec{
		Transfer: t.Transfer, Results: lines, Args: t.Args, ID: newUUID(), Attempt: 1, FencingToken: 1,
		Roots: roots, Outputs: outputs.WithBase(t.Base), Written: t.Written, Now: time.Now(), Version: dryRun,
	})
	err = <-invoke.Go(func() error { return h(ctx, c) })
	if ctx.Err() != nil {
		return step, fmt.Errorf("dry run: %w", context.Cause(ctx))
	}
	step.State, step.Error, _ = handlers.FinalizerVerdict(err)
	return step, nil
}

// newUUID makes a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// dryRunResults stands for a database.
type dryRunResults struct {
	files []handlers.FinalFile
	lines []tasks.ResultRow
}

func newDryRunResults(files []handlers.FinalFile, results []tasks.Result) *dryRunResults {
	t := &dryRunResults{files: slices.Clone(files)}
	paths := make(map[int64]string, len(files))
	for i := range t.files {
		if t.files[i].No == 0 {
			t.files[i].No = int64(i) + 1
		}
		paths[t.files[i].No] = t.files[i].Path
	}
	for _, r := range results {
		t.lines = append(t.lines, tasks.ResultRow{Result: r, Path: paths[r.File]})
	}
	slices.SortFunc(t.lines, func(a, b tasks.ResultRow) int { return a.Key().Compare(b.Key()) })
	return t
}

// Files implements ResultReader.
func (t *dryRunResults) Files(_ context.Context, after tasks.FileKey, limit int) (page []tasks.CollectedFile, err error) {
	for i := range t.files {
		if t.files[i].No > after.File && len(page) < limit {
			page = append(page, tasks.CollectedFile{File: t.files[i].File})
		}
	}
	return page, nil
}

// Totals implements ResultReader.
func (t *dryRunResults) Totals(context.Context) (files, bytes int64, err error) {
	for i := range t.files {
		bytes += t.files[i].Size
	}
	return int64(len(t.files)), bytes, nil
}

// Transfer implements ResultReader.
func (t *dryRunResults) Transfer(_ context.Context, id int64) (tasks.Transfer, error) {
	return tasks.Transfer{}, fmt.Errorf("%w: %d", tasks.ErrTransferNotFound, id)
}

// Facts implements ResultReader.
func (t *dryRunResults) Facts(_ context.Context, _ int64, _ int, files tasks.Ranges) (map[int64]map[string]any, error) {
	known := make(map[int64]map[string]any)
	for i := range t.files {
		if files.Contains(t.files[i].No) {
			known[t.files[i].No] = t.files[i].Facts
		}
	}
	return known, nil
}

// Results implements ResultReader.
func (t *dryRunResults) Results(
	_ context.Context, outcomes []tasks.Outcome, after tasks.CollectedKey, limit int,
) (page []tasks.CollectedResult, err error) {
	for i := range t.lines {
		l := &t.lines[i]
		wanted := len(outcomes) == 0 || slices.Contains(outcomes, l.Outcome)
		if wanted && l.Key().Compare(after.ResultKey) > 0 && len(page) < limit {
			page = append(page, tasks.CollectedResult{ResultRow: *l})
		}
	}
	return page, nil
}
