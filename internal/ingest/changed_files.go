package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// ErrPaused says that a person has paused the transfer that would be resumed.
var ErrPaused = errors.New("the transfer is paused")

// Changes counts what a run has found, in files; chunks of one file count once.
type Changes struct {
	Added     int64 `json:"added"`     // not registered before
	Changed   int64 `json:"changed"`   // with another size or modification time
	Retried   int64 `json:"retried"`   // as they were, but failed or not processed before
	Accepted  int64 `json:"accepted"`  // as they were; they failed, and a person accepts that
	Reread    int64 `json:"reread"`    // as they were, and read again all the same
	Gone      int64 `json:"gone"`      // registered before, and not found
	Unchanged int64 `json:"unchanged"` // as they were
}

// ChangeDetector registers the files that no earlier run with its run key has
// registered as they are now. It creates a transfer for them when the first such
// file comes, unless Begin or Resume has chosen one.
type ChangeDetector struct {
	// FinalStepsLater leaves the final steps to a transfer of their own, because files are
	// to be compared with what they were before.
	FinalStepsLater bool

	ingester   *Ingester
	submission *TransferRequest
	sources    []string
	runKey     string

	pending   []tasks.File // not looked up yet
	transfer  tasks.Transfer
	registrar *Registrar // nil: no transfer yet
	first     int64      // number of the first file that this run registers
	changes   Changes

	met        metFiles        // those that this run does not register
	unreadable map[string]bool // what the scan could not read, and whatever is below
}

// NewChangeDetector makes a ChangeDetector. Close must be called.
func (g *Ingester) NewChangeDetector(s *TransferRequest, sources []string, runKey string) *ChangeDetector {
	return &ChangeDetector{ingester: g, submission: s, sources: sources, runKey: runKey, unreadable: make(map[string]bool)}
}

// Changes returns what has been found so far.
func (d *ChangeDetector) Changes() Changes { return d.changes }

// Transfer returns the transfer that takes the files, and false when there is none.
func (d *ChangeDetector) Transfer() (tasks.Transfer, bool) { return d.transfer, d.registrar != nil }

// Begin creates a transfer even if no file comes.
func (d *ChangeDetector) Begin(ctx context.Context) error {
	n := d.ingester.newTransfer(d.submission, d.sources, d.runKey)
	if d.FinalStepsLater {
		n.Finalizers = nil
	}
	t, _, err := d.ingester.create(ctx, n)
	if err != nil {
		return err
	}
	return d.use(ctx, t)
}

// Resume adds the files to the latest transfer when that has not ended, and reports
// whether it does. A weight, a deadline and a limit of failures that the submission names apply
// to all of it.
func (d *ChangeDetector) Resume(ctx context.Context, latest tasks.Transfer) (resumed bool, err error) {
	if latest.State.Ended() {
		return false, nil
	}
	if !latest.PausedAt.IsZero() {
		return false, fmt.Errorf("%w: resume it first with 'baler resume %s'", ErrPaused, latest.UUID)
	}
	if latest.State == tasks.StateFinalizing {
		return false, nil // changed files get a transfer of their own; the run waits for this one
	}
	if d.submission.Reread { // into a transfer of its own; the run waits for this one
		_, err = d.ingester.store.Seal(ctx, latest.ID)
		return false, err
	}
	if err := d.ingester.notifiesToo(ctx, &latest, d.submission); err != nil {
		return false, err
	}
	resumed, err = d.ingester.store.Reopen(ctx, latest.ID)
	if err != nil || !resumed {
		return false, err
	}
	if change := d.submission.changes(&latest); change != (tasks.TransferChange{}) { // a person has said so
		if _, err := d.ingester.store.Update(ctx, latest.ID, change); err != nil {
			return false, err
		}
	}
	return true, d.use(ctx, latest)
}

// changes returns what a request names that the transfer with which it goes on has otherwise.
func (s *TransferRequest) changes(t *tasks.Transfer) (c tasks.TransferChange) {
	if limit := s.stopAfter(); s.StopAfter != "" && limit != t.StopAfter {
		c.StopAfter = &limit
	}
	if s.Weight > 0 && s.Weight != t.Weight {
		c.Weight = &s.Weight
	}
	if s.Deadline != "" {
		c.Deadline = new(s.deadline())
	}
	return c
}

func (d *ChangeDetector) use(ctx context.Context, t tasks.Transfer) (err error) {
	d.transfer = t
	d.registrar, err = d.ingester.NewRegistrar(ctx, t.ID, d.runKey)
	if err == nil {
		d.first = d.registrar.next
	}
	if err == nil && d.submission.OnCreated != nil {
		d.submission.OnCreated(t)
	}
	return err
}

// Add takes a file, which may be registered later.
func (d *ChangeDetector) Add(ctx context.Context, f tasks.File) error {
	d.pending = append(d.pending, f)
	if len(d.pending) < store.ComparePage {
		return nil
	}
	return d.registerChanged(ctx)
}

// registerChanged looks the pending files up and registers those that have changed.
func (d *ChangeDetector) registerChanged(ctx context.Context) error {
	if len(d.pending) == 0 {
		return nil
	}
	seen, err := d.ingester.store.CompareFiles(ctx, d.runKey, d.transfer.ID, d.pending)
	if err != nil {
		return err
	}
	if err := d.accept(ctx, seen); err != nil {
		return err
	}
	for i := range d.pending {
		if d.note(&d.pending[i], seen[i]) {
			if err := d.register(ctx, d.pending[i]); err != nil {
				return err
			}
		}
	}
	d.pending = d.pending[:0]
	return nil
}

// accept notes that files which failed are accepted, if the submission says so.
func (d *ChangeDetector) accept(ctx context.Context, seen []ledger.SeenFile) error {
	if !d.submission.AcceptFailures {
		return nil
	}
	var accepted []tasks.FileKey
	for i := range seen {
		if seen[i].Status == ledger.Failed {
			seen[i].Status = ledger.Accepted
			accepted = append(accepted, seen[i].At)
		}
	}
	if len(accepted) == 0 {
		return nil
	}
	return d.ingester.store.AcceptFailures(ctx, d.runKey, accepted)
}

// note counts a file, and reports whether it is to be registered.
func (d *ChangeDetector) note(f *tasks.File, seen ledger.SeenFile) (register bool) {
	if f.ScanError != "" {
		d.unreadable[f.Path] = true
	}
	counted := &d.changes.Unchanged
	switch seen.Status {
	case ledger.Added:
		counted, register = &d.changes.Added, true
	case ledger.Changed:
		counted, register = &d.changes.Changed, true
	case ledger.Unfinished:
		counted, register = &d.changes.Retried, true
	case ledger.Failed:
		counted, register = &d.changes.Retried, true // load knows which lines of a chunk are loaded
	case ledger.Accepted:
		counted = &d.changes.Accepted
	case ledger.Unchanged:
	}
	if d.submission.Reread && !register {
		counted, register = &d.changes.Reread, true
	}
	if !register && !d.registered(seen.At) {
		d.met.add(seen.At)
	}
	if f.Part <= 1 { // the first chunk stands for the whole file
		*counted++
	}
	return register
}

func (d *ChangeDetector) register(ctx context.Context, f tasks.File) error {
	if d.registrar == nil {
		if err := d.Begin(ctx); err != nil {
			return err
		}
	}
	return d.registrar.Add(ctx, f)
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

// registered reports whether a file of the collection is where this run has put it.
func (d *ChangeDetector) registered(k tasks.FileKey) bool {
	return d.registrar != nil && k.Transfer == d.transfer.ID && k.File >= d.first
}

// RemoveGone removes files from the collection that are not there any more. The scan must
// have come to its end, and Close must have been called.
func (d *ChangeDetector) RemoveGone(ctx context.Context) error {
	from := tasks.FileKey{Transfer: d.transfer.ID, File: d.first}
	others, err := d.ingester.store.CountOthers(ctx, d.runKey, from)
	if err != nil {
		return err
	}
	if others != d.met.n { // else all that this run has not registered are where they were
		d.changes.Gone, err = d.ingester.store.RemoveGone(ctx, d.runKey, store.GoneFilter{
			Met:    func(k tasks.FileKey) bool { return d.met.has(k) || d.registered(k) },
			Hidden: d.hidden,
		})
		if err != nil {
			return err
		}
	}
	return d.ingester.store.RemoveOrphaned(ctx, d.runKey)
}

// MarkMissing notes the files of the collection of a fixity run that are not there any more.
// The scan must have come to its end, and Close must have been called.
func (d *ChangeDetector) MarkMissing(ctx context.Context) error {
	if d.submission.AcceptMissing {
		if err := d.ingester.store.AcceptMissing(ctx, d.runKey); err != nil {
			return err
		}
	}
	return d.ingester.store.MarkMissing(ctx, d.runKey, d.transfer.ID, d.hidden)
}

// hidden reports whether a path lies in what could not be read.
func (d *ChangeDetector) hidden(path string) bool {
	for dir := path; len(d.unreadable) > 0; dir = tasks.ParentPath(dir) {
		if d.unreadable[dir] {
			return true
		}
		if dir == tasks.ParentPath(dir) {
			break
		}
	}
	return false
}
