package server

import (
	"context"
	"errors"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// DeadLetterPage implements web.Letters.
func (b *Backend) DeadLetterPage(ctx context.Context, before int64, limit int) ([]web.DeadLetterView, error) {
	letters, err := b.DeadLetters(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	page := make([]web.DeadLetterView, len(letters))
	for i := range letters {
		l := &letters[i]
		page[i] = web.DeadLetterView{ID: l.ID, ReceivedAt: l.ReceivedAt, Type: l.Type, Reason: l.Reason, Payload: l.Payload, Cut: l.Truncated()}
	}
	return page, nil
}

// RequeueDeadLetter implements web.Letters.
func (b *Backend) RequeueDeadLetter(ctx context.Context, id int64, queue string) error {
	if err := tasks.CheckQueue(queue); err != nil {
		return &api.RequestError{Field: "queue", Err: err}
	}
	return letterError(b.Control.RequeueDeadLetter(ctx, id, queue))
}

// DiscardDeadLetter implements web.Letters.
func (b *Backend) DiscardDeadLetter(ctx context.Context, id int64) error {
	return letterError(b.Control.DiscardDeadLetter(ctx, id))
}

func letterError(err error) error {
	if errors.Is(err, store.ErrDeadLetterNotFound) {
		return &api.RequestError{Err: err, Missing: true}
	}
	return err
}
