package web

import (
	"context"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Changes reads who changed what.
type Changes interface {
	// ChangesOf reads the newest changes that people made to a transfer, up to limit.
	ChangesOf(ctx context.Context, t tasks.Transfer, limit int) ([]Change, error)
}

// Change is one thing that a person did.
type Change struct {
	At        time.Time
	Who, What string // as in "ada" and "paused"
}

const shownChanges = 20

func changesOf(ctx context.Context, c Changes, t *tasks.Transfer) ([]Change, error) {
	if c == nil {
		return nil, nil
	}
	return c.ChangesOf(ctx, *t, shownChanges)
}
