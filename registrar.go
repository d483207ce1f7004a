package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// registrar registers files with one transfer: rows in bulk, then, by the group
// way, one message a file.
type registrar struct {
	b       *Baler
	plan    *dispatch.TransferPlan
	lineage string
	files   *batcher.Batcher[tasks.File]
	chunks  errgroup.Group // being registered, a few side by side
	next    int64          // number of the next file
	counted chan struct{}  // closed when the chunk before the next one is counted

	ctx   context.Context //nolint:containedctx // of the whole intake: chunks outlive the flush that began them
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu  sync.Mutex
	err error // of the first flush that failed
}

// registerPolicy bounds one transaction of new rows.
func registerPolicy() tasks.BatchPolicy {
	return tasks.BatchPolicy{MaxItems: 2000, MaxBytes: 1 << 62, MaxDelay: 500 * time.Millisecond}
}

// sideBySide is how many transactions insert rows at the same time. SQLite has
// one writer, who would wait for its turn while it keeps the others out.
func (b *Baler) sideBySide() int {
	if b.store.Dialect() == db.SQLite {
		return 1
	}
	return 3
}

// chunksAhead is how many chunks, of all transfers of this process, may hold a
// connection while they wait to be counted. One connection always remains for the
// chunk that the others wait for. 0 connections stands for the store's own choice.
func chunksAhead(connections int) int {
	const enough = 7 // the store chooses more connections than this
	if connections <= 0 {
		return enough
	}
	return min(enough, connections-1)
}

func (b *Baler) newRegistrar(ctx context.Context, transfer int64, lineage string) (*registrar, error) {
	entry, err := b.catalog.Get(ctx, transfer)
	if err != nil {
		return nil, err
	}
	t, err := b.store.TransferByID(ctx, transfer)
	if err != nil {
		return nil, err
	}
	in := &registrar{b: b, plan: entry, lineage: lineage, next: t.Files + 1, counted: make(chan struct{})}
	close(in.counted)
	in.chunks.SetLimit(b.sideBySide())
	in.files = batcher.New(registerPolicy(), in.flush, batcher.Options[tasks.File]{})
	in.ctx, in.stop = context.WithCancel(ctx)
	in.ended.Go(func() { b.heartbeat(in.ctx, transfer) })
	return in, nil
}

// add takes a file. It blocks while registering is behind, and fails when an
// earlier file could not be registered.
func (in *registrar) add(ctx context.Context, f tasks.File) error {
	if err := in.failed(); err != nil {
		return err
	}
	_, err := in.files.Add(ctx, f)
	return err
}

// close registers what is held.
func (in *registrar) close(ctx context.Context) error {
	err := in.files.Close(ctx)
	if err != nil {
		// Told to stop: what is held fails, but nothing may go on behind our back.
		in.stop()
		err = errors.Join(err, in.files.Close(context.WithoutCancel(ctx)))
	}
	_ = in.chunks.Wait() // failed says what went wrong first
	in.stop()
	in.ended.Wait()
	return errors.Join(err, in.failed())
}

func (in *registrar) failed() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

// flush numbers the files, in the order in which they came, and has them
// registered beside the chunks before.
func (in *registrar) flush(_ context.Context, files []tasks.File) error {
	first, before, counted := in.next, in.counted, make(chan struct{})
	in.next += int64(len(files))
	in.counted = counted
	in.chunks.Go(func() error {
		turn := func() error {
			select {
			case <-before:
				return in.failed() // nothing after a gap
			case <-in.ctx.Done():
				return in.ctx.Err()
			}
		}
		err := in.register(in.ctx, files, first, turn, before, counted)
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.err == nil {
			in.err = err
		}
		return err
	})
	return nil
}

// register commits rows, closes counted when they are counted or never will
// be, and sends messages where the way is group.
func (in *registrar) register(
	ctx context.Context, files []tasks.File, first int64, turn func() error, before <-chan struct{}, counted chan struct{},
) error {
	a := store.FileBatch{Transfer: in.plan.ID, Files: files, First: first, BeforeCount: turn, RunKey: in.lineage}
	if in.plan.Via == tasks.ViaBulk {
		return in.count(ctx, a, before, counted)
	}
	steps := make([]int, len(files))
	a.FirstSteps = make(map[int]int64)
	for i := range files {
		if steps[i] = in.plan.Route(0, &files[i], nil); steps[i] == 0 {
			a.Finished++
			continue
		}
		a.FirstSteps[steps[i]]++
	}
	if err := in.count(ctx, a, before, counted); err != nil {
		return err
	}
	var routed []queue.FileTask
	for i := range files {
		if steps[i] > 0 {
			routed = append(routed, queue.FileTask{File: &files[i], Step: steps[i], Handler: in.plan.Step(steps[i]).Handler})
		}
	}
	return in.enqueue(ctx, routed)
}

func (in *registrar) count(ctx context.Context, a store.FileBatch, before <-chan struct{}, counted chan struct{}) error {
	defer close(counted)
	err := in.addFiles(ctx, a, before)
	if err != nil {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.err = cmp.Or(in.err, err) // before the next chunk's turn
		return err
	}
	failpoint.Point(failpoint.FilesRegistered)
	return nil
}

// addFiles starts the transaction when it is the chunk's turn, or earlier when a
// connection can be spared for the wait. Otherwise chunks that wait could hold all
// connections while the chunk that they wait for has none.
func (in *registrar) addFiles(ctx context.Context, a store.FileBatch, before <-chan struct{}) error {
	select {
	case <-before:
		if err := in.failed(); err != nil {
			return err
		}
	case in.b.ahead <- struct{}{}:
		defer func() { <-in.b.ahead }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return in.b.store.AddFiles(ctx, a)
}

// enqueue sends one message a file, and waits while the queue holds too many.
// When Redis does not take them the files are registered all the same: the
// sweep finds them.
func (in *registrar) enqueue(ctx context.Context, routed []queue.FileTask) error {
	if err := in.waitForRoom(ctx); err != nil {
		return err
	}
	if err := in.b.queue.Producer.EnqueueFiles(ctx, in.plan.Queue, in.plan.ID, routed); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("enqueue files: %w", err)
		}
		in.b.log.WarnContext(ctx, "producer: the queue does not take files; they are registered and will be swept up",
			"files", len(routed), "error", err)
	}
	return nil
}

// roomAttempts bounds the retries of one wait for room while Redis fails.
const roomAttempts = 3

func (in *registrar) waitForRoom(ctx context.Context) error {
	names := make([]string, len(in.plan.Recipe.Steps))
	for i, s := range in.plan.Recipe.Steps {
		names[i] = s.Handler
	}
	failures := 0
	for {
		waiting, err := in.b.queue.Producer.GroupBacklog(ctx, in.plan.Queue, names)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && waiting < int64(in.b.cfg.Group.Limit):
			return nil
		case err != nil && failures == roomAttempts:
			in.b.log.WarnContext(ctx, "producer: the length of the queue is unknown; enqueueing without waiting for room", "error", err)
			return nil
		case err != nil:
			failures++
		}
		if err := sleep.For(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
