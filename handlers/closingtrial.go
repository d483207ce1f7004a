package handlers

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/balerhq/baler/tasks"
)

// FinalizerDryRun runs a Finalizer by itself: one try, with no queue and no
// database. Package handlertest makes tests of it.
type FinalizerDryRun struct {
	Args     any            // what the recipe's `with` would give
	Transfer tasks.Transfer // an ID and the number of files are made up when they are missing
	Files    []FinalFile    // numbered from 1 where they have no number, ascending
	Results  []tasks.Result // in any order
	Roots    []string       // folders that may be read; the files themselves when empty
	Base     string         // folder that relative paths are written below; others are refused. Required
}

// Run gives the step as it ended: done or failed, with what there is to say.
func (t FinalizerDryRun) Run(ctx context.Context, h Finalizer) (tasks.FinalizeStep, error) {
	step := tasks.FinalizeStep{Number: 1, Name: "trial", Handler: "trial", Attempts: 1}
	lines := newDryRunResults(t.Files, t.Results)
	if t.Transfer.UUID == "" {
		t.Transfer.UUID = uuid.NewString()
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
	roots, err := NewRoots(dirs)
	if err != nil {
		return step, err
	}
	defer roots.Close()
	outputs, err := NewOutputRoots([]string{t.Base})
	if err != nil {
		return step, fmt.Errorf("trial: %w", err)
	}
	outputs.relative = t.Base
	c := &TransferJob{spec: transferSpec{
		transfer: t.Transfer, lines: lines, args: t.Args, id: uuid.NewString(), attempt: 1, fencingToken: 1,
		roots: roots, outputs: outputs, now: time.Now(), log: slog.New(slog.DiscardHandler),
	}}
	err = <-launch(func() error { return h(ctx, c) })
	if ctx.Err() != nil {
		return step, fmt.Errorf("trial: %w", context.Cause(ctx))
	}
	end := finalizeOutcome(err, 1, tasks.RetryPolicy{Attempts: 1})
	step.State, step.Error = end.State, end.Reason
	return step, nil
}

// dryRunResults stands for a database.
type dryRunResults struct {
	files []FinalFile
	lines []tasks.ResultRow
}

func newDryRunResults(files []FinalFile, results []tasks.Result) *dryRunResults {
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

// FilesAfter implements ResultReader.
func (t *dryRunResults) FilesAfter(_ context.Context, _, after int64, limit int, _ bool) ([]tasks.File, error) {
	var page []tasks.File
	for i := range t.files {
		if t.files[i].No > after && len(page) < limit {
			page = append(page, t.files[i].File)
		}
	}
	return page, nil
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
func (t *dryRunResults) Results(_ context.Context, _ int64, f tasks.ResultFilter, after tasks.ResultKey, limit int) ([]tasks.ResultRow, error) {
	var page []tasks.ResultRow
	for i := range t.lines {
		l := &t.lines[i]
		wanted := len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, l.Outcome)
		if wanted && l.Key().Compare(after) > 0 && len(page) < limit {
			page = append(page, *l)
		}
	}
	return page, nil
}
