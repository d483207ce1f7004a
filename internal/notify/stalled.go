package notify

import (
	"context"
	"time"
)

// lookForStalled is the longest time between two looks for transfers that stand still.
const lookForStalled = 30 * time.Second

// noteStalled looks for transfers that stand still or wait for approval when that is due. It returns the time of the
// last look. Any number of senders may look: one of them writes each message.
func (s *Sender) noteStalled(ctx context.Context, last time.Time) time.Time {
	now := s.opts.Now()
	if s.opts.StallAfter <= 0 || now.Sub(last) < min(lookForStalled, s.opts.StallAfter/2) {
		return last
	}
	if _, err := s.outbox.NoteStalled(ctx, s.opts.StallAfter); err != nil && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "webhooks: look for transfers that stand still", "error", err)
	}
	if _, err := s.outbox.NoteApprovals(ctx); err != nil && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "webhooks: look for steps that wait for approval", "error", err)
	}
	return now
}
