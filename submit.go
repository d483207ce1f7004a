package baler

import (
	"context"
	"errors"
	"io"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Submission says what to register. Paths or List must be given.
type Submission struct {
	Paths        []string  // files and folders
	List         io.Reader // instead of Paths: one path a line
	NulSeparated bool      // List is separated by NUL instead of line ends

	Recipe         *recipe.Recipe
	Name           string // shown to people; empty: the first path
	IdempotencyKey string // the same key gives the same transfer again; empty for none
	Queue          string // empty: "default"
	Via            tasks.Via

	// Webhooks are URLs that get the transfer's end, in addition to the site's.
	Webhooks []string

	// AcceptFailures makes Run accept that files of earlier runs failed: they are tried
	// again only when they have changed.
	AcceptFailures bool

	// Reread makes Run process files again that seem unchanged, and compare their digests
	// with those of earlier runs.
	Reread bool

	// AllowEmpty lets Run take files of earlier runs as gone when a source has no file any
	// more. Without it that is ErrSourceEmpty.
	AllowEmpty bool

	// OnCreated is called with the transfer before files are registered; may be nil.
	OnCreated func(t tasks.Transfer)

	// OnSkipped is called for links and special files that are not followed; nil: they are only counted.
	OnSkipped func(scan.Skipped)
}

// DefaultQueue carries the batches of transfers that name no queue.
const DefaultQueue = ingest.DefaultQueue

// Submit registers files and has them processed by whatever workers there are.
// When it returns without an error the transfer is sealed: its number of files
// is final. With an idempotency key that was used before, Submit returns the
// transfer of that time, registers nothing, and created is false.
func (b *Baler) Submit(ctx context.Context, s Submission) (t tasks.Transfer, created bool, err error) {
	sub := ingest.Submission(s)
	sources, err := sub.Sources()
	if err != nil {
		return t, false, err
	}
	if s.List != nil {
		sources = ingest.ListSources()
	}
	leftOut, err := b.outputFiles(s.Recipe, s.Name, sources)
	if err != nil {
		return t, false, err
	}
	t, created, err = b.ingester.Create(ctx, &sub, sources, "")
	if err != nil || !created {
		return t, false, err
	}
	r, err := b.ingester.NewRegistrar(ctx, t.ID, "")
	if err != nil {
		return t, true, err
	}
	err = b.ingester.Collect(ctx, &sub, sources, tasks.File{}, leftOut, func(f tasks.File) error { return r.Add(ctx, f) })
	t, err = b.ingester.Seal(ctx, t.ID, errors.Join(err, r.Close(ctx)))
	return t, true, err
}
