package baler

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// ErrPaused is the error of Run when a person has paused the transfer that it would
// resume.
var ErrPaused = ingest.ErrPaused

// Errors of Run.
var (
	ErrSourceEmpty  = ingest.ErrSourceEmpty  // earlier runs found files in a source that has none now
	ErrRereadChunks = ingest.ErrRereadChunks // lines would be loaded twice
	ErrFixitySubmit = ingest.ErrFixitySubmit // of Submit: only Run compares files with earlier transfers
)

// ErrNoFileOrFolder is the error for a path that names a device, a named pipe or a
// socket.
var ErrNoFileOrFolder = ingest.ErrNoFileOrFolder

// ErrOutputInSource is the error for a final step that would write a folder into a
// source.
var ErrOutputInSource = ingest.ErrOutputInSource

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

	// Fixity says how the files compare with what earlier transfers of the same sources have
	// recorded; nil unless the recipe says fixity.
	Fixity *FixityResult

	// Paused are unfinished transfers of earlier runs that a person has paused.
	Paused []tasks.Transfer

	// Final is the transfer without files that ran final steps which had not yet run over
	// the present files; zero when there was none.
	Final tasks.Transfer

	inputs map[int]string // of the final steps, by their numbers
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

// Run registers the files under the submission's paths, processes them in this process,
// and returns when the transfer has ended. A second Run for the same paths and recipe
// resumes an unfinished transfer, finishes transfers that are being retried, and
// registers only files that were added or changed since, or that failed. Then it runs
// the final steps that have not yet run over the present files. A path that does not
// exist is a *MissingError, unless the submission sets MissingOK. When for a
// while no live worker can run the remaining files, for example because the only worker
// with a handler has died, Run returns an *UnattendedError, and when so many files fail that
// the transfer stops, a *StoppedError. When ctx ends, the worker
// stops in order and Run returns the error of ctx. On a shared queue or database Run also
// processes batches of other transfers, and needs roots like Work.
func (b *Baler) Run(ctx context.Context, s Submission) (ran RunResult, err error) {
	if err := b.CheckRoots(); err != nil {
		return ran, err
	}
	ctx, span := b.tracer.Start(ctx, "run", nil)
	defer func() { span.EndWith(err) }()
	return b.run(ctx, s, b.whileWorking)
}

// run does a run within while, which has the files processed.
func (b *Baler) run(
	ctx context.Context, s Submission,
	while func(context.Context, worker.FinalOptions, *recipe.Recipe, func(context.Context) error) error,
) (ran RunResult, err error) {
	sub := ingest.TransferRequest(s)
	sources, err := b.ingester.Sources(&sub)
	if err != nil {
		return ran, err
	}
	if err := b.ingester.CheckPaths(ctx, &sub); err != nil {
		return ran, err
	}
	sub.Reread = s.Reread || s.Recipe.Fixity
	sub.NoReuse = s.NoReuse || s.Reread // a result that is taken over reads nothing
	if sub.Reread && s.Recipe.Split > 0 {
		return ran, ingest.ErrRereadChunks
	}
	leftOut, err := b.outputFiles(s.Recipe, s.Name, sources)
	if err != nil {
		return ran, err
	}
	runKey := ingest.RunKeyOf(&sub, sources)
	final, err := b.runFinal(runKey)
	if err != nil {
		return ran, err
	}
	if err := b.loads.ForgetLost(ctx, runKey); err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	// Read before the worker starts: it may end them before runOnce reads them.
	begun, err := b.store.UnfinishedRuns(ctx, runKey, math.MaxInt64)
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	err = while(ctx, final, s.Recipe, func(ctx context.Context) error {
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
func (b *Baler) completeRun(ctx context.Context, s *ingest.TransferRequest, sources []string, ran *RunResult) error {
	runKey := ingest.RunKeyOf(s, sources)
	if ran.FoundChanges {
		if err := ran.wait(ctx, b); err != nil {
			return err
		}
		if err := ran.compare(ctx, b, s, runKey); err != nil {
			return err
		}
	}
	if err := b.runFinalSteps(ctx, s, sources, ran); err != nil {
		return err
	}
	if err := ran.lookForFailures(ctx, b, runKey); err != nil {
		return err
	}
	return ran.tellFixity(ctx, b)
}

// runOnce registers the files that have changed, and finds the transfers of earlier
// runs that this run must wait for. It does not wait until files are processed.
func (b *Baler) runOnce(
	ctx context.Context, s *ingest.TransferRequest, sources []string, leftOut map[string]bool, begun []tasks.Transfer,
) (ran RunResult, err error) {
	runKey := ingest.RunKeyOf(s, sources)
	found, err := b.ingester.RegisterChanges(ctx, s, sources, runKey, leftOut)
	ran.Transfer, ran.Resumed, ran.FoundChanges, ran.Changes = found.Transfer, found.Resumed, found.Used, found.Changes
	ran.inputs = ingest.FinalInputs(b.registry, s, sources, found.FolderDigest)
	if err == nil {
		err = ran.adopt(ctx, b, s, runKey, begun)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	ran.promote(s.OnCreated)
	return ran, nil
}

// adopt notes what the final steps of a transfer with changes depend on; without changes it
// finds the unfinished transfer of an earlier run. Then it looks at the earlier runs.
func (r *RunResult) adopt(ctx context.Context, b *Baler, s *ingest.TransferRequest, runKey string, begun []tasks.Transfer) (err error) {
	if r.FoundChanges {
		err = b.ingester.NoteInputs(ctx, s, r.Transfer.ID, r.inputs)
	} else {
		err = r.adoptUnfinished(ctx, b, begun, s.OnCreated)
	}
	if err != nil {
		return err
	}
	r.Previous, err = b.ingester.EarlierRuns(ctx, runKey, r.Transfer.ID, begun)
	return err
}

// runFinalSteps runs the final steps that have not yet run over the present files, such
// as those that were added to the recipe, in a transfer of their own.
func (b *Baler) runFinalSteps(ctx context.Context, s *ingest.TransferRequest, sources []string, ran *RunResult) error {
	runKey := ingest.RunKeyOf(s, sources)
	var tried []int64
	if ran.FoundChanges {
		tried = append(tried, ran.Transfer.ID)
	}
	for i := range ran.Previous {
		tried = append(tried, ran.Previous[i].ID)
	}
	begun := false
	err := b.ingester.WithRunLock(ctx, runKey, func(ctx context.Context) (err error) {
		ran.Final, begun, err = b.ingester.BeginFinalSteps(ctx, s, sources, runKey, ran.inputs, tried)
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

// adoptUnfinished makes the run wait for a transfer to which it added no file, if the
// transfer had not ended when the run began, or now runs its final steps.
func (r *RunResult) adoptUnfinished(ctx context.Context, b *Baler, begun []tasks.Transfer, started func(tasks.Transfer)) error {
	t, err := b.store.TransferByID(ctx, r.Transfer.ID)
	if err != nil {
		return err
	}
	if r.Transfer = t; t.State != tasks.StateFinalizing && !ingest.HasTransfer(begun, t.ID) {
		return nil
	}
	r.Resumed, r.FoundChanges = true, true
	if started != nil {
		started(t)
	}
	return nil
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
