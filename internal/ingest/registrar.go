package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Registrar registers files with one transfer: rows in bulk, then, when it
// goes by group, one message a file.
type Registrar struct {
	ingester *Ingester
	plan     *dispatch.TransferPlan
	producer int64 // the token that makes this the transfer's only producer
	runKey   string
	files    *batcher.Batcher[listedFile]
	list     tasks.ListMark // of the paths of a list whose files were all added
	chunks   errgroup.Group // being registered, a few side by side
	before   int64          // files of the transfer that others have registered
	next     int64          // number of the next file
	counted  chan struct{}  // closed when the chunk before the next one is counted
	first    atomic.Int64   // when the first file that waits was added, in Unix nanoseconds; 0 for none

	ctx   context.Context //nolint:containedctx // of the whole registrar: chunks outlive the flush that began them
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu  sync.Mutex
	err error // of the first flush that failed
}

// listedFile is a file with the mark of the paths before its own in a list.
type listedFile struct {
	tasks.File

	before tasks.ListMark
}

// registerShare is the part of a group's delay that registering may take: a file that
// comes slowly waits here, too, and the rest of the delay in its group.
const registerShare = 4

// registerPolicy bounds one transaction of new rows.
func (g *Ingester) registerPolicy(via tasks.Via) tasks.BatchPolicy {
	p := tasks.BatchPolicy{MaxItems: 2000, MaxBytes: 1 << 62, MaxDelay: 500 * time.Millisecond}
	if share := g.groupDelay / registerShare; via == tasks.ViaGroup && share > 0 {
		p.MaxDelay = min(p.MaxDelay, share)
	}
	return p
}

// sideBySide is how many transactions insert rows at the same time. SQLite has
// one writer.
func (g *Ingester) sideBySide() int {
	if g.store.Dialect() == db.SQLite {
		return 1
	}
	return 3
}

// NewRegistrar makes a Registrar that registers files behind those that the transfer
// has. runKey is that of the run that began the transfer, or "". Close must be called.
func (g *Ingester) NewRegistrar(ctx context.Context, transfer int64, runKey string) (*Registrar, error) {
	entry, err := g.transfers.Get(ctx, transfer)
	if err != nil {
		return nil, err
	}
	token, next, err := g.store.BeginRegistering(ctx, transfer)
	if err != nil {
		return nil, err
	}
	r := &Registrar{ingester: g, plan: entry, producer: token, runKey: runKey, before: next - 1, next: next, counted: make(chan struct{})}
	close(r.counted)
	r.chunks.SetLimit(g.sideBySide())
	r.files = batcher.New(g.registerPolicy(entry.Via), r.flush, batcher.Options[listedFile]{})
	r.ctx, r.stop = context.WithCancel(ctx)
	r.ended.Go(func() { g.heartbeat(r.ctx, transfer) })
	return r, nil
}

// Before is how many files the transfer had when this became its only producer.
func (r *Registrar) Before() int64 { return r.before }

// Recipe is that of the transfer.
func (r *Registrar) Recipe() *recipe.Recipe { return r.plan.Recipe }

// Add takes a file. It blocks while registering is behind, and fails when an
// earlier file could not be registered.
func (r *Registrar) Add(ctx context.Context, f tasks.File) error {
	if err := r.failed(); err != nil {
		return err
	}
	if r.first.Load() == 0 {
		r.first.CompareAndSwap(0, time.Now().UnixNano())
	}
	_, err := r.files.Add(ctx, listedFile{f, r.list})
	return err
}

// Listed says that Add has had all files of these paths of a list. It must not be called
// at the same time as Add.
func (r *Registrar) Listed(list tasks.ListMark) { r.list = list }

// Close registers the files that Add took and that are not registered yet, and
// reports the first error of all. When ctx ends it registers no more.
func (r *Registrar) Close(ctx context.Context) error {
	err := r.files.Close(ctx)
	if err != nil {
		// The caller stops: files not yet registered fail, and no flush may outlive Close.
		r.stop()
		err = errors.Join(err, r.files.Close(context.WithoutCancel(ctx)))
	}
	_ = r.chunks.Wait() // failed says what went wrong first
	r.stop()
	r.ended.Wait()
	return errors.Join(err, r.failed())
}

func (r *Registrar) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// flush numbers the files, in the order in which they came, and has them
// registered at the same time as the chunks before.
func (r *Registrar) flush(_ context.Context, listed []listedFile) error {
	files := make([]tasks.File, len(listed))
	for i := range listed {
		files[i] = listed[i].File
	}
	list := listed[len(listed)-1].before
	first, before, counted := r.next, r.counted, make(chan struct{})
	r.next += int64(len(files))
	r.counted = counted
	came := time.Now()
	if t := r.first.Swap(0); t != 0 {
		came = time.Unix(0, t)
	}
	r.chunks.Go(func() error {
		err := r.register(r.ctx, files, list, first, came, before, counted)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.err == nil {
			r.err = err
		}
		return err
	})
	return nil
}

// register commits rows, closes counted when they are counted or never will
// be, and sends messages where the transfer goes by group.
func (r *Registrar) register(
	ctx context.Context, files []tasks.File, list tasks.ListMark, first int64, came time.Time, before <-chan struct{}, counted chan struct{},
) error {
	a := store.FileBatch{
		Transfer: r.plan.ID, Producer: r.producer, Files: files, First: first, RunKey: r.runKey, Fixity: r.plan.Recipe.Fixity, List: list,
	}
	if r.plan.Via == tasks.ViaBulk {
		return r.count(ctx, a, before, counted)
	}
	steps := make([]int, len(files))
	a.FirstSteps = make(map[int]int64)
	for i := range files {
		if steps[i] = r.plan.First(&files[i]); steps[i] == 0 {
			a.Finished++
			continue
		}
		a.FirstSteps[steps[i]]++
	}
	if err := r.count(ctx, a, before, counted); err != nil {
		return err
	}
	var routed []queue.FileTask
	for i := range files {
		if steps[i] > 0 {
			routed = append(routed, queue.FileTask{File: &files[i], Step: steps[i], Handler: r.plan.Step(steps[i]).Handler})
		}
	}
	return r.enqueue(ctx, routed, came)
}

func (r *Registrar) count(ctx context.Context, a store.FileBatch, before <-chan struct{}, counted chan struct{}) error {
	defer close(counted)
	err := r.addFiles(ctx, a, before)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = cmp.Or(r.err, err) // before the next chunk's turn
		return err
	}
	failpoint.Point(failpoint.FilesRegistered)
	return nil
}

// addFiles inserts rows at once, and counts them when it is the chunk's turn. It waits
// for that outside of any transaction: the chunks before may need its connection.
func (r *Registrar) addFiles(ctx context.Context, a store.FileBatch, before <-chan struct{}) error {
	if r.ingester.sideBySide() == 1 { // nothing is gained by a transaction of its own
		if err := r.awaitTurn(ctx, before); err != nil {
			return err
		}
		return r.ingester.store.AddFiles(ctx, a)
	}
	if err := r.ingester.store.InsertFiles(ctx, a); err != nil {
		return err
	}
	failpoint.Point(failpoint.FilesInserted)
	if err := r.awaitTurn(ctx, before); err != nil {
		return err
	}
	return r.ingester.store.CountFiles(ctx, a)
}

// awaitTurn waits for the chunk before to be counted, and fails when it was not: no
// chunk is counted after a gap.
func (r *Registrar) awaitTurn(ctx context.Context, before <-chan struct{}) error {
	select {
	case <-before:
		return r.failed()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enqueue sends one message a file, of which the first came then, and waits while the queue holds too many.
// When Redis does not take them the files stay registered: the sweeper finds them.
func (r *Registrar) enqueue(ctx context.Context, routed []queue.FileTask, came time.Time) error {
	if err := r.waitForRoom(ctx); err != nil {
		return err
	}
	if err := r.ingester.producer.EnqueueFiles(ctx, r.plan.Queue, r.plan.ID, routed, time.Since(came)); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("enqueue files: %w", err)
		}
		r.ingester.log.Log(ctx, outage.Level(err), "producer: the queue does not take files; they are registered and will be swept up",
			"transfer", r.plan.UUID, "files", len(routed), "error", err)
	}
	return nil
}

// roomAttempts bounds the retries of one wait for room while Redis fails.
const roomAttempts = 3

func (r *Registrar) waitForRoom(ctx context.Context) error {
	names := make([]string, len(r.plan.Recipe.Steps))
	for i, s := range r.plan.Recipe.Steps {
		names[i] = s.Handler
	}
	failures := 0
	for {
		waiting, err := r.ingester.producer.GroupBacklog(ctx, r.plan.Queue, names)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && waiting < r.ingester.groupLimit:
			return nil
		case err != nil && failures == roomAttempts:
			r.ingester.log.Log(ctx, outage.Level(err), "producer: the length of the queue is unknown; enqueueing without waiting for room",
				"transfer", r.plan.UUID, "error", err)
			return nil
		case err != nil:
			failures++
		}
		if err := sleep.For(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
