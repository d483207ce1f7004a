package baler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/faults"
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// intake registers files with one transfer: rows in bulk, then, by the group
// way, one message a file.
type intake struct {
	b       *Baler
	entry   *batcher.Entry
	lineage string
	files   *batcher.Batcher[tasks.File]

	stop  context.CancelFunc
	ended sync.WaitGroup

	mu  sync.Mutex
	err error // of the first flush that failed
}

// registerPolicy bounds one transaction of new rows.
func registerPolicy() batcher.Policy {
	return batcher.Policy{MaxItems: 2000, MaxBytes: 1 << 62, MaxDelay: 500 * time.Millisecond}
}

func (b *Baler) newIntake(ctx context.Context, transfer int64, lineage string) (*intake, error) {
	entry, err := b.catalog.Get(ctx, transfer)
	if err != nil {
		return nil, err //nolint:wrapcheck // names the transfer already
	}
	in := &intake{b: b, entry: entry, lineage: lineage}
	in.files = batcher.New(registerPolicy(), in.flush, batcher.Options[tasks.File]{})
	ctx, in.stop = context.WithCancel(ctx)
	in.ended.Go(func() { b.heartbeat(ctx, transfer) })
	return in, nil
}

// add takes a file. It blocks while registering is behind, and fails when an
// earlier file could not be registered.
func (in *intake) add(ctx context.Context, f tasks.File) error {
	if err := in.failed(); err != nil {
		return err
	}
	_, err := in.files.Add(ctx, f)
	return err //nolint:wrapcheck // Submit wraps
}

// close registers what is held.
func (in *intake) close(ctx context.Context) error {
	err := in.files.Close(ctx)
	in.stop()
	in.ended.Wait()
	return errors.Join(err, in.failed())
}

func (in *intake) failed() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

func (in *intake) flush(ctx context.Context, files []tasks.File) error {
	err := in.failed() // nothing after a gap
	if err == nil {
		err = in.register(ctx, files)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.err == nil {
		in.err = err
	}
	return err
}

func (in *intake) register(ctx context.Context, files []tasks.File) error {
	a := store.Addition{Transfer: in.entry.ID, Files: files, Lineage: in.lineage}
	if in.entry.Via == tasks.ViaBulk {
		return in.addFiles(ctx, a)
	}
	steps := make([]int, len(files))
	a.Routed = make(map[int]int64)
	for i := range files {
		if steps[i] = in.entry.Route(0, &files[i], nil); steps[i] == 0 {
			a.Finished++
			continue
		}
		a.Routed[steps[i]]++
	}
	if err := in.addFiles(ctx, a); err != nil {
		return err
	}
	var routed []tasks.Routed
	for i := range files {
		if steps[i] > 0 {
			routed = append(routed, tasks.Routed{File: &files[i], Step: steps[i], Handler: in.entry.Step(steps[i]).Handler})
		}
	}
	return in.enqueue(ctx, routed)
}

func (in *intake) addFiles(ctx context.Context, a store.Addition) error {
	if err := in.b.store.AddFiles(ctx, a); err != nil {
		return err //nolint:wrapcheck // names the operation already
	}
	faults.Point(faults.FilesRegistered)
	return nil
}

// enqueue sends one message a file, and waits while the queue holds too many.
// When Redis does not take them the files are registered all the same: the
// sweep finds them.
func (in *intake) enqueue(ctx context.Context, routed []tasks.Routed) error {
	if err := in.waitForRoom(ctx); err != nil {
		return err
	}
	if err := in.b.queue.producer.Files(ctx, in.entry.Queue, in.entry.ID, routed); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("enqueue files: %w", err)
		}
		in.b.log.WarnContext(ctx, "producer: the queue does not take files; they are registered and will be swept up",
			"files", len(routed), "error", err)
	}
	return nil
}

func (in *intake) waitForRoom(ctx context.Context) error {
	names := make([]string, len(in.entry.Recipe.Steps))
	for i, s := range in.entry.Recipe.Steps {
		names[i] = s.Handler
	}
	for {
		waiting, err := in.b.queue.producer.Waiting(ctx, in.entry.Queue, names)
		if err != nil || waiting < int64(in.b.cfg.Group.Limit) {
			return ctx.Err() //nolint:wrapcheck // Submit wraps; trouble with Redis is enqueue's to report
		}
		t := time.NewTimer(100 * time.Millisecond)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err() //nolint:wrapcheck // Submit wraps
		}
	}
}
