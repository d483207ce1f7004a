package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// ErrPaused says that a person has paused the transfer that would be resumed.
var ErrPaused = errors.New("the transfer is paused")

// ChangeDetector registers the files that no earlier run with its run key has
// registered as they are now. It creates a transfer for them when the first such
// file comes, unless Begin or Resume has chosen one.
type ChangeDetector struct {
	ingester   *Ingester
	submission *Submission
	sources    []string
	runKey     string

	pending   []tasks.File // not looked up yet
	transfer  tasks.Transfer
	registrar *Registrar // nil: no transfer yet
}

// lookUpPage is how many files are looked up at a time.
const lookUpPage = 1000

// NewChangeDetector makes a ChangeDetector. Close must be called.
func (g *Ingester) NewChangeDetector(s *Submission, sources []string, runKey string) *ChangeDetector {
	return &ChangeDetector{ingester: g, submission: s, sources: sources, runKey: runKey}
}

// Transfer returns the transfer that takes the files, and false when there is none.
func (d *ChangeDetector) Transfer() (tasks.Transfer, bool) { return d.transfer, d.registrar != nil }

// Begin creates a transfer even if no file comes.
func (d *ChangeDetector) Begin(ctx context.Context) error {
	t, _, err := d.ingester.store.Create(ctx, d.ingester.newTransfer(d.submission, d.sources, d.runKey))
	if err != nil {
		return err
	}
	return d.use(ctx, t)
}

// Resume adds the files to the latest transfer when that has not ended, and reports
// whether it does.
func (d *ChangeDetector) Resume(ctx context.Context, latest tasks.Transfer) (resumed bool, err error) {
	if latest.State.Ended() {
		return false, nil
	}
	if !latest.PausedAt.IsZero() {
		return false, fmt.Errorf("%w: let %s go on first ('baler resume %s')", ErrPaused, latest.UUID, latest.UUID)
	}
	if latest.State == tasks.StateFinalizing {
		return false, nil // changed files get a transfer of their own; the run waits for this one
	}
	resumed, err = d.ingester.store.Reopen(ctx, latest.ID)
	if err != nil || !resumed {
		return false, err
	}
	return true, d.use(ctx, latest)
}

func (d *ChangeDetector) use(ctx context.Context, t tasks.Transfer) (err error) {
	d.transfer = t
	d.registrar, err = d.ingester.NewRegistrar(ctx, t.ID, d.runKey)
	if err == nil && d.submission.OnCreated != nil {
		d.submission.OnCreated(t)
	}
	return err
}

// Add takes a file, which may be registered later.
func (d *ChangeDetector) Add(ctx context.Context, f tasks.File) error {
	d.pending = append(d.pending, f)
	if len(d.pending) < lookUpPage {
		return nil
	}
	return d.registerChanged(ctx)
}

// registerChanged looks the pending files up and registers those that have changed.
func (d *ChangeDetector) registerChanged(ctx context.Context) error {
	if len(d.pending) == 0 {
		return nil
	}
	changed, err := d.ingester.store.ChangedFiles(ctx, d.runKey, d.pending)
	if err != nil {
		return err
	}
	d.pending = d.pending[:0]
	for _, f := range changed {
		if d.registrar == nil {
			if err := d.Begin(ctx); err != nil {
				return err
			}
		}
		if err := d.registrar.Add(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// Close registers the files that are pending, unless ctx has ended.
func (d *ChangeDetector) Close(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = d.registerChanged(ctx)
	}
	if d.registrar == nil {
		return err
	}
	return errors.Join(err, d.registrar.Close(ctx))
}
