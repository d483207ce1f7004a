package bench

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// feed submits files to a system when they are due.
type feed struct {
	s      *cluster
	tree   tree // the files; after the last one the first one follows
	recipe *recipe.Recipe
}

func (f *feed) path(i int) string { return f.tree.path(i % f.tree.files) }

// byGroup writes the files to the list of one transfer, and returns when the transfer is
// sealed.
func (f *feed) byGroup(ctx context.Context, a *arrivals, w *watch) error {
	r, list := io.Pipe()
	started := make(chan tasks.Transfer, 1)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer r.Close() // so that the writer ends when this fails
		t, _, err := f.s.b.Submit(ctx, baler.Submission{
			List: r, Recipe: f.recipe, Via: tasks.ViaGroup, Queue: benchQueue, Name: "trickle",
			OnCreated: func(t tasks.Transfer) { started <- t },
		})
		if err != nil {
			return err
		}
		_, err = f.s.b.Wait(ctx, t.UUID, nil)
		return err
	})
	g.Go(func() error {
		select {
		case t := <-started:
			w.filesOf(t.ID)
		case <-ctx.Done():
			return ctx.Err()
		}
		err := f.write(ctx, a, w, list)
		return errors.Join(err, list.CloseWithError(err))
	})
	return g.Wait()
}

// writeMost is the largest number of paths in one write.
const writeMost = 64 << 10

// write writes the paths that are due, until all are.
func (f *feed) write(ctx context.Context, a *arrivals, w *watch, list io.Writer) error {
	var lines []byte
	a.begin = time.Now()
	for i := 0; i < a.files; {
		if err := sleep.For(ctx, time.Until(a.due(i))); err != nil {
			return err
		}
		lines = lines[:0]
		for now := time.Now(); i < a.files && len(lines) < writeMost && !a.due(i).After(now); i++ {
			if a.watched(i) {
				w.expect(int64(i+1), a.due(i)) // files are numbered as they come
			}
			lines = append(append(lines, f.path(i)...), '\n')
		}
		if _, err := list.Write(lines); err != nil {
			if errors.Is(err, io.ErrClosedPipe) {
				return nil // the reader reports the error
			}
			return err
		}
	}
	return nil
}

// lanes is how many transfers are submitted at the same time at most.
const lanes = 16

// byBulk submits each file as a transfer of its own.
func (f *feed) byBulk(ctx context.Context, a *arrivals, w *watch) error {
	w.transfers()
	a.begin = time.Now()
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range lanes {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= a.files {
					return nil
				}
				if err := sleep.For(ctx, time.Until(a.due(i))); err != nil {
					return err
				}
				_, _, err := f.s.b.Submit(ctx, baler.Submission{
					List: strings.NewReader(f.path(i) + "\n"), Recipe: f.recipe, Via: tasks.ViaBulk, Queue: benchQueue, Name: "single",
					OnCreated: func(t tasks.Transfer) {
						if a.watched(i) {
							w.expect(t.ID, a.due(i))
						}
					},
				})
				if err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}
