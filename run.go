package baler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// RunResult is the result of Run.
type RunResult struct {
	Transfer     tasks.Transfer   // the transfer that ran, or the last one when nothing had changed
	Previous     []tasks.Transfer // earlier transfers that also ended in this run, because they were retried
	Resumed      bool             // an earlier run began the transfer
	FoundChanges bool             // false: no file was processed
	Changes      RunChanges

	// Failures counts files of all runs that have not changed since their newest result,
	// which is a failure that was not accepted.
	Failures []RunFailures

	// Damaged has the first of the DamagedFiles files whose digest has changed although
	// their size and modification time are the same.
	Damaged      []tasks.File
	DamagedFiles int64

	// Paused are unfinished transfers of earlier runs that a person has paused.
	Paused []tasks.Transfer

	// Final is the transfer without files that ran final steps which had not yet run over
	// the present files; zero when there was none.
	Final tasks.Transfer
}

// RunFailures counts the files of a run whose results in one transfer are failures.
type RunFailures struct {
	Transfer tasks.Transfer
	Files    int64
}

// damagedShown is how many damaged files a RunResult names.
const damagedShown = 10

// RunChanges counts the changes that a Run found.
type RunChanges = ingest.Changes

// ErrPaused is the error of Run when a person has paused the transfer that it would
// resume.
var ErrPaused = ingest.ErrPaused

// Errors of Run.
var (
	ErrSourceEmpty  = ingest.ErrSourceEmpty  // earlier runs found files in a source that has none now
	ErrRereadChunks = ingest.ErrRereadChunks // lines would be loaded twice
)

// ErrNoFileOrFolder is the error for a path that names a device, a named pipe or a
// socket.
var ErrNoFileOrFolder = ingest.ErrNoFileOrFolder

// ErrOutputInSource is the error for a final step that would write a folder into a
// source.
var ErrOutputInSource = ingest.ErrOutputInSource

// Run registers the files under the submission's paths, processes them in this process,
// and returns when the transfer has ended. A second Run for the same paths and recipe
// resumes an unfinished transfer, finishes transfers that are being retried, and
// registers only files that were added or changed since, or that failed. Then it runs
// the final steps that have not yet run over the present files. A path that does not
// exist is a *MissingError, unless the submission sets MissingOK. When for a
// while no live worker can run the remaining files, for example because the only worker
// with a handler has died, Run returns an *UnattendedError. When ctx ends, the worker
// stops in order and Run returns the error of ctx. On a shared queue or database Run also
// processes batches of other transfers, and needs roots like Work.
func (b *Baler) Run(ctx context.Context, s Submission) (ran RunResult, err error) {
	if err := b.CheckRoots(); err != nil {
		return ran, err
	}
	sub := ingest.Submission(s)
	sources, err := b.ingester.Sources(&sub)
	if err != nil {
		return ran, err
	}
	if err := sub.CheckPaths(); err != nil {
		return ran, err
	}
	if s.Reread && s.Recipe.Split > 0 {
		return ran, ingest.ErrRereadChunks
	}
	leftOut, err := b.outputFiles(s.Recipe, s.Name, sources)
	if err != nil {
		return ran, err
	}
	runKey := runKeyOf(&sub, sources)
	final, err := b.runFinal(runKey)
	if err != nil {
		return ran, err
	}
	if err := b.forgetEmptied(ctx, runKey); err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	// Read before the worker starts: it may end them before runOnce reads them.
	begun, err := b.store.UnfinishedRuns(ctx, runKey, math.MaxInt64)
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	err = b.whileWorking(ctx, final, s.Recipe, func(ctx context.Context) error {
		err := b.ingester.WithRunLock(ctx, runKey, func(ctx context.Context) (err error) {
			if ran, err = b.runOnce(ctx, &sub, sources, leftOut, begun); err != nil || !ran.FoundChanges {
				return err
			}
			if _, err := b.store.Seal(ctx, ran.Transfer.ID); err != nil {
				return fmt.Errorf("run: %w", err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return b.completeRun(ctx, &sub, sources, &ran)
	})
	return ran, err
}

// completeRun waits for the files of a run, runs final steps that have not run, and finds
// the failures that are left.
func (b *Baler) completeRun(ctx context.Context, s *ingest.Submission, sources []string, ran *RunResult) error {
	runKey := runKeyOf(s, sources)
	if ran.FoundChanges {
		if err := ran.wait(ctx, b); err != nil {
			return err
		}
		if ran.Resumed || ran.Changes.Retried+ran.Changes.Reread > 0 {
			if err := b.ingester.CompareReread(ctx, runKey, ran.Transfer.ID); err != nil {
				return fmt.Errorf("run: %w", err)
			}
		}
	}
	if err := b.runFinalSteps(ctx, s, sources, ran); err != nil {
		return err
	}
	return ran.lookForFailures(ctx, b, runKey)
}

// lookForFailures finds the failures, damaged files and paused transfers of all runs.
func (r *RunResult) lookForFailures(ctx context.Context, b *Baler, runKey string) error {
	failed, err := b.store.OpenFailures(ctx, runKey)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(failed)) {
		t, err := b.store.TransferByID(ctx, id)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		r.Failures = append(r.Failures, RunFailures{Transfer: t, Files: failed[id]})
	}
	if r.DamagedFiles, err = b.store.CountDamaged(ctx, runKey); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if r.DamagedFiles > 0 {
		damaged, err := b.store.DamagedFiles(ctx, runKey, damagedShown)
		if err != nil {
			return fmt.Errorf("run: %w", err)
		}
		for i := range damaged {
			r.Damaged = append(r.Damaged, damaged[i].File)
		}
	}
	if r.Paused, err = b.store.PausedRuns(ctx, runKey); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// whileWorking runs a worker while do runs, and then stops the worker. When the worker
// ends first, for example because it cannot start, it cancels the context of do, because
// nothing would finish the work that do waits for.
func (b *Baler) whileWorking(
	ctx context.Context, final worker.Final, own *recipe.Recipe, do func(ctx context.Context) error,
) error {
	working, stopWork := context.WithCancel(ctx)
	doing, stopDoing := context.WithCancel(ctx)
	defer stopDoing()
	worked := make(chan error, 1)
	go func() {
		err := b.work(working, final, own)
		stopDoing()
		worked <- err
	}()
	err := do(doing)
	endedByWorker := errors.Is(err, context.Canceled) && ctx.Err() == nil
	stopWork()
	workErr := <-worked
	if endedByWorker && workErr != nil {
		return workErr // err says only that the worker ended; workErr says why
	}
	return errors.Join(err, workErr)
}

// wait waits until all transfers of the run have ended, and reads their final state.
func (r *RunResult) wait(ctx context.Context, b *Baler) (err error) {
	for i := range r.Previous {
		if r.Previous[i], err = b.waitAttended(ctx, r.Previous[i]); err != nil {
			return err
		}
	}
	r.Transfer, err = b.waitAttended(ctx, r.Transfer)
	return err
}

// runOnce registers the files that have changed, and finds the transfers of earlier
// runs that this run must wait for. It does not wait until files are processed.
func (b *Baler) runOnce(
	ctx context.Context, s *ingest.Submission, sources []string, leftOut map[string]bool, begun []tasks.Transfer,
) (ran RunResult, err error) {
	runKey := runKeyOf(s, sources)
	latest, err := b.store.Latest(ctx, runKey)
	first := errors.Is(err, tasks.ErrTransferNotFound)
	if err != nil && !first {
		return ran, err
	}
	there := sources
	if !first && s.List == nil {
		if there, err = b.ingester.PresentSources(ctx, s, sources, runKey); err != nil {
			return ran, fmt.Errorf("run: %w", err)
		}
	}
	damaged, err := b.store.CountDamaged(ctx, runKey)
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	d := b.ingester.NewChangeDetector(s, sources, runKey)
	d.FinalStepsLater = s.Reread || damaged > 0
	if first {
		err = d.Begin(ctx)
	} else {
		ran.Transfer = latest
		ran.Resumed, err = d.Resume(ctx, latest)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	err = b.ingester.Collect(ctx, s, there, tasks.File{}, leftOut, func(f tasks.File) error { return d.Add(ctx, f) })
	if err = errors.Join(err, d.Close(ctx)); err == nil {
		err = d.RemoveGone(ctx)
	}
	ran.Changes = d.Changes()
	t, used := d.Transfer()
	switch {
	case used:
		ran.Transfer, ran.FoundChanges = t, true
	case err == nil:
		err = ran.adoptUnfinished(ctx, b, begun, s.OnCreated)
	}
	if err == nil {
		err = ran.lookBack(ctx, b, runKey, begun)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	ran.promote(s.OnCreated)
	return ran, nil
}

// adoptUnfinished makes the run wait for a transfer to which it added no file, if the
// transfer had not ended when the run began, or now runs its final steps.
func (r *RunResult) adoptUnfinished(ctx context.Context, b *Baler, begun []tasks.Transfer, started func(tasks.Transfer)) error {
	t, err := b.store.TransferByID(ctx, r.Transfer.ID)
	if err != nil {
		return err
	}
	if r.Transfer = t; t.State != tasks.StateFinalizing && !holds(begun, t.ID) {
		return nil
	}
	r.Resumed, r.FoundChanges = true, true
	if started != nil {
		started(t)
	}
	return nil
}

// lookBack finds the earlier transfers that the run must also wait for.
func (r *RunResult) lookBack(ctx context.Context, b *Baler, runKey string, begun []tasks.Transfer) (err error) {
	if r.Previous, err = b.store.UnfinishedRuns(ctx, runKey, r.Transfer.ID); err != nil {
		return err
	}
	for _, t := range begun {
		if t.ID < r.Transfer.ID && !holds(r.Previous, t.ID) {
			r.Previous = append(r.Previous, t) // ended since; waiting for it reads how it ended
		}
	}
	slices.SortFunc(r.Previous, func(x, y tasks.Transfer) int { return cmp.Compare(x.ID, y.ID) })
	return nil
}

func holds(transfers []tasks.Transfer, id int64) bool {
	return slices.ContainsFunc(transfers, func(t tasks.Transfer) bool { return t.ID == id })
}

// promote replaces a transfer that has nothing to do by the newest retried one.
func (r *RunResult) promote(started func(tasks.Transfer)) {
	last := len(r.Previous) - 1
	if r.FoundChanges || last < 0 {
		return
	}
	r.Transfer, r.Previous = r.Previous[last], r.Previous[:last]
	r.Resumed, r.FoundChanges = true, true
	if started != nil {
		started(r.Transfer)
	}
}

// runFinalSteps runs the final steps that have not yet run over the present files, such
// as those that were added to the recipe, in a transfer of their own.
func (b *Baler) runFinalSteps(ctx context.Context, s *ingest.Submission, sources []string, ran *RunResult) error {
	runKey := runKeyOf(s, sources)
	var tried []int64
	if ran.FoundChanges {
		tried = append(tried, ran.Transfer.ID)
	}
	for i := range ran.Previous {
		tried = append(tried, ran.Previous[i].ID)
	}
	begun := false
	err := b.ingester.WithRunLock(ctx, runKey, func(ctx context.Context) (err error) {
		ran.Final, begun, err = b.ingester.BeginFinalSteps(ctx, s, sources, runKey, tried)
		return err
	})
	if err != nil {
		return fmt.Errorf("run final steps: %w", err)
	}
	if !begun {
		return nil
	}
	if s.OnCreated != nil && !ran.FoundChanges {
		s.OnCreated(ran.Final)
	}
	ran.Final, err = b.waitAttended(ctx, ran.Final)
	return err
}

// runKeyOf is the key that all runs of the same sources, selection and recipe share.
func runKeyOf(s *ingest.Submission, sources []string) string {
	text := strings.Join(sources, "\x00") + "\x00\x00" + s.Recipe.Digest()
	if !s.Selection.All() {
		text += "\x00\x00" + s.Selection.String()
	}
	sum := sha256.Sum256([]byte(text))
	return base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]) // short: it is written twice for each file
}
