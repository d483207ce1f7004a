package bench

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/tasks"
)

const (
	busyWorkers = 2
	busyLanes   = 2       // producers, so that one registers while the other's files are processed
	busyFiles   = 100_000 // of a transfer
	busyBatch   = 1000
)

// pageLoad keeps the workers saturated by one transfer after another whose step does nothing,
// so that the database has the most to do.
type pageLoad struct {
	ended  <-chan struct{} // closed when a producer fails, or the load is stopped
	cancel context.CancelFunc
	group  *errgroup.Group
}

// startLoad returns when a first transfer has ended.
func (s *cluster) startLoad(ctx context.Context) (*pageLoad, error) {
	t, err := s.host.emptyTree(ctx, busyFiles)
	if err != nil {
		return nil, err
	}
	recipe, err := s.host.recipe("noop", busyBatch, "")
	if err != nil {
		return nil, err
	}
	s.host.o.Say("Saturating %d workers.", busyWorkers)
	loading, cancel := context.WithCancel(ctx)
	group, loading := errgroup.WithContext(loading)
	l := &pageLoad{ended: loading.Done(), cancel: cancel, group: group}
	first := make(chan struct{}, 1)
	for range busyLanes {
		group.Go(func() error {
			for {
				meter := newMeter(nil)
				_, err := s.submit(loading, meter, t, recipe, tasks.ViaBulk)
				meter.end()
				if err != nil {
					return err
				}
				select {
				case first <- struct{}{}:
				default: // nobody waits for the first one any more
				}
			}
		})
	}
	select {
	case <-first:
		return l, nil
	case <-l.ended:
		return nil, errors.Join(ctx.Err(), l.stop())
	}
}

// lasts returns an error when the load has ended.
func (l *pageLoad) lasts() error {
	select {
	case <-l.ended:
		return errors.New("the workers are not saturated any more")
	default:
		return nil
	}
}

// stop ends the load. It is an error when the load ended before.
func (l *pageLoad) stop() error {
	l.cancel()
	if err := l.group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("saturate the workers: %w", err)
	}
	return nil
}
