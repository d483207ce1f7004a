package dispatch

import (
	"context"
	"slices"
)

// keepPaused pauses the queues again that a person has paused, after Redis has lost it.
func (d *Dispatcher) keepPaused(ctx context.Context) error {
	names, err := d.store.PausedQueues(ctx)
	if err != nil || len(names) == 0 {
		return err
	}
	changed, err := d.queue.PauseQueues(ctx, names)
	if err != nil || len(changed) == 0 {
		return err
	}
	// A person may have resumed one since the list was read.
	names, err = d.store.PausedQueues(ctx)
	if err != nil {
		return err
	}
	for _, name := range changed {
		if !slices.Contains(names, name) {
			if err := d.queue.ResumeQueue(ctx, name); err != nil {
				return err
			}
			continue
		}
		d.opts.Log.WarnContext(ctx, "dispatcher: Redis had lost that the queue is paused; it is paused again", "queue", name)
	}
	return nil
}
