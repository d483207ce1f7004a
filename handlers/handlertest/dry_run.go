package handlertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

// DryRun runs a Handler over files by itself: one batch, one attempt, with no
// queue and no database. The zero value gives no arguments and no facts, and
// lets exactly the given files be read. Package handlertest makes tests of it.
type DryRun struct {
	Args    any            // what the recipe's `with` would give
	Facts   map[string]any // what earlier steps would have learnt of every file
	Roots   []string       // folders that may be read; the files themselves when empty
	Outputs []string       // folders that may be written; none when empty
	Sources []string       // of the transfer; none when empty
	Timeout time.Duration  // of the whole batch; none when zero

	// Objects is object storage, for paths, Roots and Outputs there; nil: none.
	Objects handlers.ObjectWriter

	// FileTimeout is the time limit of one file; none when zero.
	FileTimeout time.Duration

	// CommandDir is the folder of the recipe's file, for handlers that run programs.
	CommandDir string

	// Emitted, unless it is nil, says of every file that a handler has emitted it so.
	Emitted *tasks.Emission

	// EmittedBefore is what Job.EmittedBefore answers for such files.
	EmittedBefore handlers.EmittedTotal

	// MaxOutput is how many bytes of each stream of a job are kept; 0: the default.
	MaxOutput int
}

// Run gives one result a path, in the order of the paths, which it makes
// absolute. Files are numbered from 1. It waits for the handler, even past the
// time-out. The error tells of paths that cannot be used and of a ctx that
// ended; the results of jobs that were not decided by then have no outcome.
func (t DryRun) Run(ctx context.Context, h handlers.Handler, paths ...string) ([]tasks.Result, error) {
	files, err := dryRunFiles(paths, t.Emitted)
	if err != nil {
		return nil, err
	}
	roots, err := t.open(files)
	if err != nil {
		return nil, err
	}
	defer roots.Close()
	if t.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.Timeout)
		defer cancel()
	}
	outputs, err := handlers.NewOutputRoots(t.Outputs)
	if err != nil {
		return nil, err
	}
	jobs := t.jobs(files, roots, outputs.WithObjects(t.Objects))
	left := handlers.Settle(ctx, jobs, <-invoke.Go(func() error { return h.Handle(ctx, jobs) }))
	for _, job := range left {
		job.Abandon()
	}
	results := make([]tasks.Result, len(jobs))
	for i, job := range jobs {
		results[i] = job.Result()
	}
	if len(left) > 0 {
		return results, fmt.Errorf("%d of %d files not finished: %w", len(left), len(jobs), context.Cause(ctx))
	}
	return results, nil
}

func (t DryRun) open(files []tasks.File) (*handlers.Roots, error) {
	dirs := t.Roots
	if len(dirs) == 0 {
		for i := range files {
			dirs = append(dirs, files[i].Path)
		}
	}
	roots, err := handlers.NewRoots(dirs)
	if err == nil && t.Objects != nil {
		roots = roots.WithObjects(t.Objects)
	}
	return roots, err
}

// dryRun is the name of the worker, the step and the version of a DryRun.
const dryRun = "dry-run"

func (t DryRun) jobs(files []tasks.File, roots *handlers.Roots, outputs handlers.OutputRoots) []*handlers.Job {
	begin := time.Now()
	return handlers.NewJobs(len(files), func(i int) handlers.JobSpec {
		return handlers.JobSpec{
			File: files[i], Transfer: 1, Args: t.Args, Facts: t.Facts, Opener: handlers.OpenerFor(&files[i], roots, outputs),
			Outputs: outputs, Sources: t.Sources,
			Step: 1, Attempt: 1, Worker: dryRun, Started: begin, Timeout: t.FileTimeout, MaxOutput: t.MaxOutput,
			EmittedBefore: func(context.Context, *tasks.File) (handlers.EmittedTotal, error) { return t.EmittedBefore, nil },
			Commands:      func() handlers.CommandAccess { return handlers.CommandAccess{Allowed: true, Dir: t.CommandDir} },
		}
	})
}

// dryRunFiles scans as submit would. A missing file is the handler's to meet.
func dryRunFiles(paths []string, emitted *tasks.Emission) ([]tasks.File, error) {
	files := make([]tasks.File, len(paths))
	for i, path := range paths {
		if tasks.IsObject(path) {
			files[i] = tasks.File{No: int64(i) + 1, Path: path, Emitted: emitted}
			continue
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("dry run: %w", err)
		}
		files[i] = tasks.File{No: int64(i) + 1, Path: path, Emitted: emitted}
		info, err := os.Lstat(path)
		switch {
		case err == nil:
			files[i].Size, files[i].MTime = info.Size(), info.ModTime()
		case !errors.Is(err, os.ErrNotExist):
			return nil, fmt.Errorf("dry run: %w", err)
		}
	}
	return files, nil
}
