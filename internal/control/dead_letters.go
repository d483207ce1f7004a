package control

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/store"
)

// DeadLetters lists up to limit dead letters with a number below before, newest first;
// before 0 starts at the newest.
func (c *Controller) DeadLetters(ctx context.Context, before int64, limit int) ([]store.DeadLetter, error) {
	return c.store.DeadLetters(ctx, before, limit)
}

// RequeueDeadLetter puts the message of a dead letter into a queue again, and deletes the
// dead letter. A letter that does not exist is a store.ErrDeadLetterNotFound.
func (c *Controller) RequeueDeadLetter(ctx context.Context, id int64, queue string) error {
	d, err := c.store.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	if d.Truncated() {
		return fmt.Errorf("dead letter %d cannot be requeued: only the first %d bytes of it were kept", id, len(d.Payload))
	}
	if err := c.queue.Producer.EnqueueMessage(ctx, queue, d.Type, d.Payload); err != nil {
		return err
	}
	return c.store.DiscardDeadLetter(ctx, id)
}

// DiscardDeadLetter deletes a dead letter.
func (c *Controller) DiscardDeadLetter(ctx context.Context, id int64) error {
	return c.store.DiscardDeadLetter(ctx, id)
}
