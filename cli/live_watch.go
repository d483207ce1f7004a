package cli

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

const (
	activityEvery = 2 * time.Second // between two looks at workers and failures, which are a few rows
	listEvery     = time.Second     // between two looks at the newest transfers
	longestList   = 200             // rows of a live list, however high the terminal is
)

// errQuit ends a live view that a person has left by its key.
var errQuit = errors.New("left by its key")

// watchLive shows a transfer on the whole terminal until it has ended. It returns the last
// state; ok is false when there is no terminal.
func (p *program) watchLive(ctx context.Context, b system, id string) (t tasks.Transfer, ok bool, err error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	screen, closeScreen, ok := p.openLive(quitting(stop))
	if !ok {
		return t, false, nil
	}
	var busy sync.WaitGroup
	defer func() {
		stop(nil)
		busy.Wait()
		closeScreen()
	}()
	busy.Go(func() { screen.run(ctx) })
	var mu sync.Mutex
	view := liveTransfer{pace: &progressRate{}}
	busy.Go(func() {
		for tick := time.NewTicker(activityEvery); ; {
			mu.Lock()
			now := view.t
			mu.Unlock()
			if now.ID != 0 {
				if a, err := b.LiveWork(ctx, now); err == nil { // the wait reports an outage
					mu.Lock()
					view.activity = a
					mu.Unlock()
				}
			}
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	})
	why := reasons{b: b}
	t, err = b.Wait(ctx, id, func(t tasks.Transfer) {
		why.add(ctx, &t)
		mu.Lock()
		view.t, view.at = t, time.Now()
		view.pace.see(read(&t, view.at))
		mu.Unlock()
		screen.show(func(c *canvas) {
			mu.Lock()
			defer mu.Unlock()
			view.note = screen.recentNote()
			view.draw(c)
		})
	})
	if err != nil {
		mu.Lock()
		t = view.t // the last that there was
		mu.Unlock()
	}
	return t, true, quitReason(ctx, err)
}

// quitting ends a context for a key.
func quitting(stop context.CancelCauseFunc) func(interrupted bool) {
	return func(interrupted bool) {
		if interrupted {
			stop(codeError(exitInterrupted))
			return
		}
		stop(errQuit)
	}
}

// quitReason is why a view ended: the key rather than the context that it has canceled.
func quitReason(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if _, key := errors.AsType[codeError](cause); key || errors.Is(cause, errQuit) {
		return cause
	}
	return err
}

// watchList shows the newest transfers on the whole terminal until the person leaves.
func (p *program) watchList(ctx context.Context, b system) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	screen, closeScreen, ok := p.openLive(quitting(stop))
	if !ok {
		return errNoTerminal
	}
	var busy sync.WaitGroup
	defer func() {
		stop(nil)
		busy.Wait()
		closeScreen()
	}()
	busy.Go(func() { screen.run(ctx) })
	var list liveList
	for tick := time.NewTicker(listEvery); ; {
		_, height := screen.size()
		found, err := b.Newest(ctx, min(max(1, height-2), longestList))
		switch {
		case err == nil:
			list = liveList{transfers: found, at: time.Now()}
		case ctx.Err() != nil:
			tick.Stop()
			if err = quitReason(ctx, err); errors.Is(err, errQuit) {
				return nil
			}
			return err
		case list.at.IsZero():
			tick.Stop()
			return err
		default: // it was there before, and may come back
			list.note = err.Error()
			if r, ok := b.(*remote); ok {
				list.note = r.explain(err).Error()
			}
		}
		now := list
		screen.show(now.draw)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}
