package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// TransferRequest says what to register. It has the fields of baler.Submission, where
// they are described.
type TransferRequest struct {
	Paths        []string
	List         io.Reader
	NulSeparated bool
	MissingOK    bool
	Selection    tasks.Selection

	Recipe         *recipe.Recipe
	Name           string
	IdempotencyKey string
	Queue          string
	Weight         int
	StopAfter      string
	Deadline       string
	Via            tasks.Via

	Webhooks []string

	AcceptFailures bool
	AcceptMissing  bool
	Reread         bool
	AllowEmpty     bool
	NoReuse        bool

	OnCreated func(t tasks.Transfer)
	OnSkipped func(scan.SkippedEntry)
}

// DefaultQueue carries the batches of transfers that name no queue.
const DefaultQueue = tasks.DefaultQueue

// ListSources are the sources of a transfer that is submitted as a list: none.
func ListSources() []string { return nil }

// FromList reports whether a transfer with these sources was submitted as a list. The
// paths of a list may be anywhere, so that only roots limit what is read for it.
func FromList(sources []string) bool { return len(sources) == 0 }

// Sources are the absolute paths under which a submission's files are. It reports an
// error when the submission cannot be done as given.
func (g *Ingester) Sources(s *TransferRequest) ([]string, error) {
	if s.Recipe == nil {
		return nil, errNoRecipe
	}
	if err := errors.Join(g.checkWebhooks(s), tasks.CheckQueue(s.Queue), tasks.CheckWeight(s.Weight),
		tasks.CheckIdempotencyKey(s.IdempotencyKey), checkStopAfter(s.StopAfter), tasks.CheckDeadline(s.Deadline)); err != nil {
		return nil, err
	}
	if _, err := scan.NewSelector(s.Selection); err != nil {
		return nil, err
	}
	for _, path := range s.Paths {
		if what := scan.SpecialName(path); what != "" {
			return nil, fmt.Errorf("%w: %s is a %s", ErrNoFileOrFolder, path, what)
		}
	}
	return g.absolute(s.Paths)
}

// CheckPaths reports paths that do not exist, unless the submission takes them. A
// list is read later, and its missing paths get failed results.
func (g *Ingester) CheckPaths(ctx context.Context, s *TransferRequest) error {
	if s.MissingOK || s.List != nil {
		return nil
	}
	paths := slices.Clone(s.Paths) // as the caller gave them
	for i, p := range paths {
		if tasks.IsObject(p) {
			var err error
			if paths[i], err = g.addAddress(p); err != nil {
				return err
			}
		}
	}
	return scan.Missing(ctx, paths, g.objects)
}

var errNoRecipe = errors.New("the submission has no Recipe; recipe.Load reads one")

// ErrNoFileOrFolder says that a path names a device, a named pipe or a socket.
var ErrNoFileOrFolder = errors.New("only files and folders can be processed")

func (g *Ingester) absolute(paths []string) ([]string, error) {
	abs := make([]string, len(paths))
	for i, p := range paths {
		var err error
		if tasks.IsObject(p) {
			if abs[i], err = g.addAddress(p); err != nil {
				return nil, err
			}
			continue
		}
		if abs[i], err = filepath.Abs(p); err != nil {
			return nil, fmt.Errorf("resolve %s: %w", p, err)
		}
		// A source that is a link stands for its target, which is scanned and read.
		if real, err := filepath.EvalSymlinks(abs[i]); err == nil {
			abs[i] = real
		}
	}
	return abs, nil
}

// Create writes the transfer of a submission, without files. created is false when
// the idempotency key was used before: then the transfer of that time comes back, or
// ErrKeyReused.
// runKey is "" for a transfer that no Run begins.
func (g *Ingester) Create(
	ctx context.Context, s *TransferRequest, sources []string, runKey string,
) (t tasks.Transfer, created bool, err error) {
	return g.createFor(ctx, s, g.newTransfer(s, sources, runKey))
}

// CreateFor is Create for a transfer whose files come in another way.
func (g *Ingester) CreateFor(
	ctx context.Context, s *TransferRequest, sources []string, intake ledger.Intake,
) (t tasks.Transfer, created bool, err error) {
	n := g.newTransfer(s, sources, "")
	n.Intake = intake
	return g.createFor(ctx, s, n)
}

func (g *Ingester) createFor(ctx context.Context, s *TransferRequest, n store.NewTransfer) (t tasks.Transfer, created bool, err error) {
	ctx, span := g.tracer.Start(ctx, "create transfer", tracing.Attributes{"queue": n.Queue, "via": string(n.Via), "steps": len(n.Steps)})
	n.TraceParent = tracing.Parent(ctx)
	t, created, err = g.create(ctx, n)
	span.Set(tracing.Attributes{"transfer": t.UUID, "created": created})
	span.EndWith(err)
	if err == nil && !created { // another process was faster
		if err = errors.Join(sameRequest(&t, &n, s.Recipe), g.sameWebhooks(ctx, &t, s)); err != nil {
			t = tasks.Transfer{}
		}
	}
	if err == nil && created && s.OnCreated != nil {
		s.OnCreated(t)
	}
	return t, created, err
}

func (g *Ingester) newTransfer(s *TransferRequest, sources []string, runKey string) store.NewTransfer {
	n := store.NewTransfer{
		Name: s.Name, Key: s.IdempotencyKey, RunKey: runKey, Via: s.Via, Queue: s.Queue, Weight: s.Weight, Recipe: s.Recipe.YAML(),
		Sources: sources, Selection: s.Selection, SourcesKey: sourcesKey(s, sources),
		Webhooks: g.webhooks(s), WebhookEvents: g.events, NoReuse: s.NoReuse, StopAfter: s.stopAfter(), Deadline: s.deadline(),
	}
	if n.Name == "" {
		n.Name = "list"
		if len(sources) > 0 {
			n.Name = sources[0]
		}
	}
	if n.Queue == "" {
		n.Queue = DefaultQueue
	}
	if n.Via == "" {
		n.Via = s.autoVia()
	}
	for _, st := range s.Recipe.Steps {
		step := tasks.StepProgress{Number: st.Number, Name: st.Name, Handler: st.Handler, Limits: st.Limits}
		if st.Approve {
			step.Approval = tasks.ApprovalWaiting
		}
		n.Steps = append(n.Steps, step)
	}
	for _, st := range s.Recipe.FinalSteps {
		n.Finalizers = append(n.Finalizers, tasks.FinalizeStep{Number: st.Number, Name: st.Name, Handler: st.Handler, Digest: st.Digest()})
	}
	return n
}

// autoVia chooses how files go to workers when the submission does not say it:
// a list, which may come slowly, goes by group; paths, which are there as a whole, go
// by bulk. An embedded queue that only this process sees would lose a group's messages
// with the process; with bulk the files stay in the database for the next process.
func (s *TransferRequest) autoVia() tasks.Via {
	if s.List != nil {
		return tasks.ViaGroup
	}
	return tasks.ViaBulk
}

// Collect emits the files that the submission names, but for those left out, in chunks
// where the recipe splits files. after is the last chunk that is registered already, of a submission
// that resumes; its zero value is for one that begins.
func (g *Ingester) Collect(
	ctx context.Context, s *TransferRequest, sources []string, after tasks.File, leftOut map[string]bool, emit func(tasks.File) error,
) (scan.Report, error) {
	return g.scan(ctx, s, sources, leavingOut(leftOut, g.splitting(ctx, s, after, emit)))
}

// splitting emits the chunks of files behind the last one that is registered, where the
// recipe splits files.
func (g *Ingester) splitting(
	ctx context.Context, s *TransferRequest, after tasks.File, emit func(tasks.File) error,
) func(tasks.File) error {
	if s.Recipe.Split == 0 {
		return emit
	}
	return func(f tasks.File) error { return scan.SplitFile(ctx, g.openToSplit, f, after, s.Recipe.Split, emit) }
}

// scan emits the files that the submission names.
func (g *Ingester) scan(ctx context.Context, s *TransferRequest, sources []string, emit func(tasks.File) error) (scan.Report, error) {
	o, err := g.scanOptions(s)
	if err != nil {
		return scan.Report{}, err
	}
	if s.List != nil {
		return scan.ReadPaths(ctx, s.List, s.NulSeparated, o, emit)
	}
	return scan.Scan(ctx, sources, o, emit)
}

func (g *Ingester) scanOptions(s *TransferRequest) (scan.Options, error) {
	selector, err := scan.NewSelector(s.Selection)
	return scan.Options{Exclude: []string{g.stateDir}, Select: selector, Objects: g.objects, OnSkipped: s.OnSkipped}, err
}
