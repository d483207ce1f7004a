package runner

import (
	"cmp"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

const (
	longFile   = 3 * time.Second // work on a file that takes longer is shown
	shownFiles = 8               // of a batch
)

// progressLocked says of each batch in flight which of its files take long. It leaves out
// batches of which the ledger says nothing and has nothing to say: most batches end sooner.
func (r *Runner) progressLocked() (all []ledger.BatchProgress) {
	for run := range r.running {
		files := run.longRunning()
		if len(files) == 0 && !run.shown {
			continue
		}
		run.shown = len(files) > 0
		all = append(all, ledger.BatchProgress{Batch: run.batch.ID, FencingToken: run.batch.FencingToken, Files: files})
	}
	return all
}

// longRunning lists files on which the handler works for long: first those of which it
// reports how far it is, then those that began first.
func (r *batchRun) longRunning() (files []tasks.RunningFile) {
	jobs := r.live.Load()
	if jobs == nil {
		return nil
	}
	now := r.now()
	for _, j := range *jobs {
		since, progress, ok := j.Running()
		if ok && now.Sub(since) >= longFile {
			files = append(files, tasks.RunningFile{File: j.File().No, StartedAt: since, Progress: progress})
		}
	}
	slices.SortStableFunc(files, func(a, b tasks.RunningFile) int {
		none := func(f tasks.RunningFile) int {
			if f.Progress == (tasks.Progress{}) {
				return 1
			}
			return 0
		}
		return cmp.Or(cmp.Compare(none(a), none(b)), a.StartedAt.Compare(b.StartedAt))
	})
	return files[:min(len(files), shownFiles)]
}
