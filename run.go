package baler

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/db"
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

// runBesideWorkers is Run in a process that leaves the work to workers.
func (b *Baler) runBesideWorkers(ctx context.Context, s Submission) (RunResult, error) {
	return b.run(ctx, s, func(ctx context.Context, _ worker.FinalOptions, _ *recipe.Recipe, do func(context.Context) error) error {
		return do(ctx)
	})
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
	runKey := runKeyOf(&sub, sources)
	final, err := b.runFinal(runKey)
	if err != nil {
		return ran, err
	}
	if err := b.forgetLost(ctx, runKey); err != nil {
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

// compare compares files that were read again with what earlier runs recorded.
func (r *RunResult) compare(ctx context.Context, b *Baler, s *ingest.TransferRequest, runKey string) error {
	if s.Recipe.Fixity {
		return r.compareFixity(ctx, b, runKey)
	}
	if !r.Resumed && r.Changes.Retried+r.Changes.Reread == 0 {
		return nil
	}
	if err := b.ingester.CompareReread(ctx, runKey, r.Transfer.ID); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// completeRun waits for the files of a run, runs final steps that have not run, and finds
// the failures that are left.
func (b *Baler) completeRun(ctx context.Context, s *ingest.TransferRequest, sources []string, ran *RunResult) error {
	runKey := runKeyOf(s, sources)
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

// whileWorking runs a worker while do runs, and then stops the worker. When the worker
// ends first, for example because it cannot start, it cancels the context of do, because
// nothing would finish the work that do waits for.
func (b *Baler) whileWorking(
	ctx context.Context, final worker.FinalOptions, own *recipe.Recipe, do func(ctx context.Context) error,
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
	return toldOnce(err, workErr)
}

// toldOnce joins the errors of a run and of its worker. An outage of the database, such as a
// full disk, meets both, and is reported once.
func toldOnce(err, workErr error) error {
	if db.IsOutage(err) && db.IsOutage(workErr) && !strings.Contains(workErr.Error(), "\n") { // several errors may have other causes, too
		return err
	}
	return errors.Join(err, workErr)
}

// runOnce registers the files that have changed, and finds the transfers of earlier
// runs that this run must wait for. It does not wait until files are processed.
func (b *Baler) runOnce(
	ctx context.Context, s *ingest.TransferRequest, sources []string, leftOut map[string]bool, begun []tasks.Transfer,
) (ran RunResult, err error) {
	runKey := runKeyOf(s, sources)
	latest, err := b.store.Latest(ctx, runKey)
	first := errors.Is(err, tasks.ErrTransferNotFound)
	if err != nil && !first {
		return ran, err
	}
	there := sources
	var baseline time.Time
	if s.Recipe.Fixity {
		if baseline, err = b.ingester.AddBaseline(ctx, s, sources, runKey); err != nil {
			return ran, fmt.Errorf("run: %w", err)
		}
	}
	if (!first || s.Recipe.Fixity) && s.List == nil {
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
	if !first {
		ran.Transfer = latest
		ran.Resumed, err = d.Resume(ctx, latest)
	}
	if err == nil && (first || s.Recipe.Fixity) {
		err = d.Begin(ctx)
	}
	if t, ok := d.Transfer(); err == nil && ok && s.Recipe.Fixity {
		err = b.store.NoteBaseline(ctx, t.ID, baseline)
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	found, err := b.ingester.Collect(ctx, s, there, tasks.File{}, leftOut, func(f tasks.File) error { return d.Add(ctx, f) })
	switch err = errors.Join(err, d.Close(ctx)); {
	case err == nil && s.Recipe.Fixity:
		err = d.MarkMissing(ctx)
	case err == nil:
		err = d.RemoveGone(ctx)
	}
	ran.Changes = d.Changes()
	ran.inputs = ingest.FinalInputs(b.registry, s, sources, found.FolderDigest)
	if t, used := d.Transfer(); used {
		ran.Transfer, ran.FoundChanges = t, true
	}
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
	return r.lookBack(ctx, b, runKey, begun)
}

// runFinalSteps runs the final steps that have not yet run over the present files, such
// as those that were added to the recipe, in a transfer of their own.
func (b *Baler) runFinalSteps(ctx context.Context, s *ingest.TransferRequest, sources []string, ran *RunResult) error {
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

// runKeyOf is the key that all runs of the same sources, selection and recipe share.
func runKeyOf(s *ingest.TransferRequest, sources []string) string {
	text := strings.Join(sources, "\x00") + "\x00\x00" + s.Recipe.Digest()
	if !s.Selection.All() {
		text += "\x00\x00" + s.Selection.String()
	}
	sum := sha256.Sum256([]byte(text))
	return base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]) // short: it is written twice for each file
}
