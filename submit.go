package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Submission says what to register. Either Paths or List must be set.
type Submission struct {
	Paths        []string  // files and folders
	List         io.Reader // instead of Paths: one path per line, each within the roots
	NulSeparated bool      // List is separated by NUL instead of line ends

	// MissingOK registers paths that do not exist; they get failed results, as paths of a
	// List always do. Otherwise such a path is a *MissingError, and no transfer is made.
	MissingOK bool

	// Selection says which of the files at and below Paths, or in List, are registered;
	// its zero value selects all. Runs with different selections are different runs: one
	// processes files again that the other has processed.
	Selection tasks.Selection

	Recipe         *recipe.Recipe // required
	Name           string         // shown to people; empty: the first path
	IdempotencyKey string         // the same key and request return the same transfer again; empty for none
	Queue          string         // empty: "default"
	Weight         int            // its share of the workers while other transfers of its queue wait, 1 to 100; 0 means 1
	StopAfter      string         // failures that stop it, such as "5%" or "100", see tasks.StopAfter; "none"; empty: what the recipe says
	Deadline       string         // when it is canceled, such as "6h" or a time, see tasks.Deadline; "none"; empty: what the recipe says
	Via            tasks.Via

	// Webhooks are addresses to notify of what happens to the transfer, in addition to webhook.urls.
	Webhooks []string

	// AcceptFailures makes Run accept the failures of earlier runs: it processes those
	// files again only when they have changed.
	AcceptFailures bool

	// AcceptMissing makes Run accept that files which earlier runs with a fixity recipe have
	// reported as missing are gone.
	AcceptMissing bool

	// Reread makes Run process files again that have not changed, and compare their
	// digests with those of earlier runs.
	Reread bool

	// AllowEmpty makes Run accept that a source with files of earlier runs has no files
	// now. Otherwise that is ErrSourceEmpty.
	AllowEmpty bool

	// NoReuse makes the handlers run for every file, also where the recipe says reuse.
	NoReuse bool

	// OnCreated is called with the transfer before files are registered; may be nil.
	OnCreated func(t tasks.Transfer)

	// OnSkipped is called for links and special files, which a scan skips; nil: they are
	// only counted.
	OnSkipped func(scan.SkippedEntry)
}

// MissingError is the error for paths that do not exist.
type MissingError = scan.MissingError

// ErrKeyReused is the error for an idempotency key that was used for another request.
var ErrKeyReused = ingest.ErrKeyReused

// DefaultQueue is the queue of transfers that name none.
const DefaultQueue = ingest.DefaultQueue

// Submit registers files for the workers. When it returns without an error, the transfer
// is sealed: its number of files is final. When the idempotency key was used before,
// Submit returns that transfer with created false and registers nothing; if the paths, the
// list, the selection, the recipe, the queue, the weight, the limit of
// failures, a webhook or NoReuse differs, it
// returns ErrKeyReused. A transfer that is not sealed then was interrupted, or is being
// submitted elsewhere: ResumeSubmit registers the rest, for a List ResumeList, and Submit
// has not read List. A path that does not exist is a *MissingError, unless the submission
// sets MissingOK.
func (b *Baler) Submit(ctx context.Context, s Submission) (t tasks.Transfer, created bool, err error) {
	ctx, span := b.tracer.Start(ctx, "submit", nil)
	defer func() {
		span.Set(tracing.Attributes{"transfer": t.UUID, "files": t.Files, "bytes": t.Bytes, "created": created})
		span.EndWith(err)
	}()
	sub := ingest.TransferRequest(s)
	sources, err := b.ingester.Sources(&sub)
	if err != nil {
		return t, false, err
	}
	if s.Recipe.Fixity {
		return t, false, ErrFixitySubmit
	}
	if s.List != nil {
		if err := b.checkListRoots(); err != nil {
			return t, false, err
		}
		sources = ingest.ListSources()
	}
	t, found, err := b.ingester.ByKey(ctx, &sub, sources)
	if err != nil || found {
		return b.sameTransfer(ctx, t, &sub, err)
	}
	if err := b.ingester.CheckPaths(ctx, &sub); err != nil {
		return t, false, err
	}
	leftOut, err := b.outputFiles(s.Recipe, s.Name, sources)
	if err != nil {
		return t, false, err
	}
	t, created, err = b.ingester.Create(ctx, &sub, sources, "")
	if err != nil || !created {
		return b.sameTransfer(ctx, t, &sub, err)
	}
	b.warnOfOtherKeys(ctx)
	if sub.List != nil {
		t, err = b.ingester.RegisterList(ctx, t, &sub, b.outputFiles)
		return t, true, err
	}
	r, err := b.ingester.NewRegistrar(ctx, t.ID, "")
	if err != nil {
		return t, true, err
	}
	_, err = b.ingester.Collect(ctx, &sub, sources, tasks.File{}, leftOut, func(f tasks.File) error { return r.Add(ctx, f) })
	t, err = b.ingester.Seal(ctx, t.ID, tasks.ListMark{}, errors.Join(err, r.Close(ctx)))
	return t, true, err
}

// sameTransfer returns the transfer that the key of a submission has found, if it is the
// transfer of the same list. That of one that is not sealed is not read.
func (b *Baler) sameTransfer(ctx context.Context, t tasks.Transfer, s *ingest.TransferRequest, err error) (tasks.Transfer, bool, error) {
	if err == nil && s.List != nil && ingest.NotSealed(&t) != nil {
		err = b.ingester.CheckList(ctx, &t, s)
	}
	if err != nil {
		return tasks.Transfer{}, false, err
	}
	return t, false, nil
}

// checkListRoots returns ErrNoRoots when nothing limits which files of a list may be
// read. On a shared queue or database, the roots of the workers limit them.
func (b *Baler) checkListRoots() error {
	if len(b.cfg.Roots) == 0 && b.queue.Embedded() && b.store.Dialect() == db.SQLite {
		return fmt.Errorf("the files of a list may be anywhere: %w, here and for the worker", ErrNoRoots)
	}
	return nil
}

// Errors of ResumeSubmit.
var (
	ErrAlreadySealed = ingest.ErrAlreadySealed
	ErrProducerAlive = ingest.ErrProducerAlive
	ErrNotFromList   = errors.New("the transfer was not submitted as a list")
	ErrPathsFromList = errors.New("the transfer was submitted as a list, which has to be submitted again")
)

// ErrListByRequests is the error of ResumeList for a transfer whose files come over HTTP.
var ErrListByRequests = ingest.ErrListByRequests

// ResumeSubmit registers the rest of the files of a transfer whose producer died, and
// seals the transfer. It does not change registered files, and does not register files
// that were added since to folders that the producer had walked. notice is called for
// links and special files, which a scan skips; it may be nil.
func (b *Baler) ResumeSubmit(ctx context.Context, t tasks.Transfer, notice func(scan.SkippedEntry)) (tasks.Transfer, error) {
	if ingest.FromList(t.Sources) {
		return t, cmp.Or(ingest.NotSealed(&t), ErrPathsFromList)
	}
	if err := b.ingester.TakeOver(ctx, &t); err != nil {
		return t, err
	}
	return b.ingester.RegisterRest(ctx, t, b.outputFiles, notice)
}

// ResumeList is ResumeSubmit for a transfer that was submitted as a list: list is the same
// list again, in the same order, and may have more paths at its end. It returns
// ErrKeyReused, and registers nothing, when the list does not begin with the paths that are
// registered.
func (b *Baler) ResumeList(
	ctx context.Context, t tasks.Transfer, list io.Reader, nulSeparated bool, notice func(scan.SkippedEntry),
) (tasks.Transfer, error) {
	if !ingest.FromList(t.Sources) {
		return t, cmp.Or(ingest.NotSealed(&t), ErrNotFromList)
	}
	if err := b.checkListRoots(); err != nil {
		return t, err
	}
	if byRequests, err := b.ingester.ByRequests(ctx, t.ID); err != nil || byRequests {
		return t, cmp.Or(err, ingest.NotSealed(&t), ingest.ErrListByRequests)
	}
	if err := b.ingester.TakeOver(ctx, &t); err != nil {
		return t, err
	}
	s := &ingest.TransferRequest{List: list, NulSeparated: nulSeparated, OnSkipped: notice}
	return b.ingester.RegisterRestOfList(ctx, t, s, b.outputFiles)
}

// AwaitProducer waits until the producer of an open transfer has sealed it, or has been
// silent long enough for ResumeSubmit, and returns the transfer in its state then. It
// returns ErrProducerAlive when the producer writes a heartbeat meanwhile. It calls
// waiting once, before it waits; waiting may be nil.
func (b *Baler) AwaitProducer(ctx context.Context, t tasks.Transfer, waiting func(until time.Time)) (tasks.Transfer, error) {
	return b.ingester.AwaitProducer(ctx, t, waiting)
}

// Preview says what a submission would register.
type Preview = ingest.Preview

// ExtensionCount counts the files of a Preview with one extension.
type ExtensionCount = ingest.ExtensionCount

// SizeCount counts the files of a Preview in one range of sizes.
type SizeCount = ingest.SizeCount

// PreviewSubmit scans the files of a submission, and registers nothing.
func (b *Baler) PreviewSubmit(ctx context.Context, s Submission) (Preview, error) {
	return b.preview(ctx, s, false)
}

// PreviewRun scans the files of a run, and registers nothing. It counts only files that
// the run would process: those that are new or have changed since earlier runs. It does
// not look for files that are gone.
func (b *Baler) PreviewRun(ctx context.Context, s Submission) (Preview, error) {
	return b.preview(ctx, s, true)
}

func (b *Baler) preview(ctx context.Context, s Submission, run bool) (p Preview, err error) {
	sub := ingest.TransferRequest(s)
	sources, err := b.ingester.Sources(&sub)
	if err == nil {
		err = b.ingester.CheckPaths(ctx, &sub)
	}
	if err != nil {
		return p, err
	}
	leftOut, err := b.outputFiles(s.Recipe, s.Name, sources)
	if err != nil {
		return p, err
	}
	runKey := ""
	if run {
		runKey = ingest.RunKeyOf(&sub, sources)
	}
	if p, err = b.ingester.Preview(ctx, &sub, sources, runKey, leftOut); err != nil {
		return p, fmt.Errorf("preview: %w", err)
	}
	return p, nil
}

func (b *Baler) outputFiles(r *recipe.Recipe, name string, sources []string) (map[string]bool, error) {
	within, err := handlers.NewOutputRoots(b.cfg.Outputs)
	if err != nil {
		return nil, err
	}
	return ingest.OutputFiles(b.registry, r, name, sources, within)
}

// WrittenOutput is what a final step has written, and where.
type WrittenOutput = ingest.WrittenOutput

// WrittenOutputs lists what final steps with state done have written for a transfer that ran
// in this process, or whose folders this process is set to write, as far as it is still there.
func (b *Baler) WrittenOutputs(t *tasks.Transfer) ([]WrittenOutput, error) {
	within, err := handlers.NewOutputRoots(b.cfg.Outputs)
	if err != nil {
		return nil, err
	}
	return ingest.WrittenOutputs(b.registry, t, within), nil
}
