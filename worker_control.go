package baler

import (
	"context"
	"fmt"
	"github.com/balerhq/baler/tasks"
)

// applyDesired does what people wish of the worker until ctx ends, or it is told to leave.
func (w *worker) applyDesired(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case wish := <-w.wishes:
			if w.apply(ctx, wish) {
				return
			}
		}
	}
}

func (w *worker) apply(ctx context.Context, wish tasks.DesiredState) (leave bool) {
	switch {
	case wish == tasks.WorkerDraining:
		w.b.log.InfoContext(ctx, "worker told to finish what it has in hand and end")
		w.pauseIntake(false)
		rested := make(chan struct{})
		go func() {
			defer close(rested)
			w.resting.Wait()
		}()
		select {
		case <-rested:
		case <-ctx.Done(): // told to stop meanwhile: what is in hand has the grace period
		}
		return true
	case wish == tasks.WorkerPaused && w.server != nil:
		w.b.log.InfoContext(ctx, "worker takes no batches for now")
		w.pauseIntake(false)
	case wish == tasks.WorkerRunning && w.server == nil:
		if err := w.startServer(ctx); err != nil {
			w.b.log.WarnContext(ctx, "worker: cannot go on yet", "error", err)
			return false // the next sign of life tries again
		}
		w.b.log.InfoContext(ctx, "worker goes on")
	}
	return false
}

// setDesired passes a wish on; only the last one counts.
func (w *worker) setDesired(wish tasks.DesiredState) {
	select {
	case <-w.wishes:
	default:
	}
	w.wishes <- wish
}

// startServer starts to take batches.
func (w *worker) startServer(ctx context.Context) error {
	server := w.serve()
	if err := server.Start(w.runner); err != nil {
		return fmt.Errorf("start worker: %w", err)
	}
	w.server = server
	w.closing = w.close(ctx)
	return nil
}

// close takes final steps until the function it gives is called, which
// returns when those in hand have ended.
func (w *worker) close(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it ends in its turn
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.closer.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// pauseIntake takes no new batches. What is in hand goes on, within the grace period
// when the worker ends with it.
func (w *worker) pauseIntake(end bool) {
	server := w.server
	w.server = nil
	if server == nil {
		return
	}
	if !end {
		server.Stop()
	}
	w.resting.Go(w.closing)
	w.resting.Go(func() {
		if !end {
			w.runner.WaitIdle()
		}
		server.Shutdown()
	})
}
