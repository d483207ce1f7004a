package baler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/store"
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

	// Webhooks are URLs to tell of the transfer's end, beside the site's.
	Webhooks []string

	// OnCreated is told of the transfer before files are registered; nil for nobody.
	OnCreated func(t tasks.Transfer)

	// OnSkipped is told of links and special files that are not followed; nil only counts.
	OnSkipped func(scan.Skipped)

	after tasks.File // the last part that is registered already, of a submission that goes on
}

// listed stands for the sources of a transfer that was submitted as a list:
// whoever lists paths means those, wherever they are.
const listed = string(filepath.Separator)

// DefaultQueue carries the batches of transfers that name no queue.
const DefaultQueue = "default"

// Submit registers files and has them processed by whatever workers there are.
// When it returns without an error the transfer is sealed: its number of files
// is final. With a key that was used before, the transfer of that time comes
// back and nothing is registered; created is false then.
func (b *Baler) Submit(ctx context.Context, s Submission) (t tasks.Transfer, created bool, err error) {
	sources, err := s.sources()
	if err != nil {
		return t, false, err
	}
	if s.List != nil {
		sources = []string{listed}
	}
	t, created, err = b.store.Create(ctx, b.newTransfer(&s, sources, ""))
	if err != nil || !created {
		return t, false, err
	}
	if s.OnCreated != nil {
		s.OnCreated(t)
	}
	in, err := b.newRegistrar(ctx, t.ID, "")
	if err != nil {
		return t, true, err
	}
	err = b.collect(ctx, &s, sources, func(f tasks.File) error { return in.add(ctx, f) })
	t, err = b.seal(ctx, t.ID, errors.Join(err, in.close(ctx)))
	return t, true, err
}

// collect emits what the submission names, in parts where the recipe wants that.
func (b *Baler) collect(ctx context.Context, s *Submission, sources []string, emit func(tasks.File) error) error {
	if s.Recipe.Split > 0 {
		whole := emit
		emit = func(f tasks.File) error { return scan.SplitFile(ctx, f, s.after, s.Recipe.Split, whole) }
	}
	o := scan.Options{Exclude: []string{b.cfg.StateDir}, OnSkipped: s.OnSkipped}
	var err error
	if s.List != nil {
		_, err = scan.ReadPaths(ctx, s.List, s.NulSeparated, o, emit)
	} else {
		_, err = scan.Scan(ctx, sources, o, emit)
	}
	return err
}

func absolute(paths []string) ([]string, error) {
	abs := make([]string, len(paths))
	for i, p := range paths {
		var err error
		if abs[i], err = filepath.Abs(p); err != nil {
			return nil, fmt.Errorf("resolve %s: %w", p, err)
		}
		// A source that is a link is meant; what it names is scanned and read.
		if real, err := filepath.EvalSymlinks(abs[i]); err == nil {
			abs[i] = real
		}
	}
	return abs, nil
}

func (b *Baler) newTransfer(s *Submission, sources []string, lineage string) store.NewTransfer {
	n := store.NewTransfer{
		Name: s.Name, Key: s.IdempotencyKey, RunKey: lineage, Via: s.Via, Queue: s.Queue, Recipe: s.Recipe.YAML(), Sources: sources,
		Webhooks: b.webhooks(s),
	}
	if n.Name == "" && len(sources) > 0 {
		n.Name = sources[0]
	}
	if n.Queue == "" {
		n.Queue = DefaultQueue
	}
	if n.Via == "" {
		n.Via = s.auto()
	}
	for _, st := range s.Recipe.Steps {
		n.Steps = append(n.Steps, tasks.Step{Number: st.Number, Name: st.Name, Handler: st.Handler})
	}
	for _, st := range s.Recipe.Finalizers {
		n.Finalizers = append(n.Finalizers, tasks.FinalizeStep{Number: st.Number, Name: st.Name, Handler: st.Handler})
	}
	return n
}

// auto is the way of those who leave it to Baler: what trickles in goes by
// group, what lies there whole by bulk. An embedded queue that only this
// process sees would lose a group's messages with the process: bulk waits in
// the database for whoever works there next.
func (s *Submission) auto() tasks.Via {
	if s.List != nil {
		return tasks.ViaGroup
	}
	return tasks.ViaBulk
}

// producerHeartbeat is how often a producer says that it lives.
const producerHeartbeat = 5 * time.Second

// heartbeat tells the database that the producer of a transfer lives, until ctx ends.
func (b *Baler) heartbeat(ctx context.Context, transfer int64) {
	sleep.Every(ctx, producerHeartbeat, func() {
		if err := b.store.HeartbeatTransfer(ctx, transfer); err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "producer: heartbeat failed", "error", err)
		}
	})
}
