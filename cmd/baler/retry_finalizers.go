package main

import (
	"context"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

// closingRetrial is the JSON object that retry --finalizers reports.
type closingRetrial struct {
	Type     string `json:"type"` // always "retry"
	Transfer string `json:"transfer"`
	Closing  int64  `json:"finalizers"` // steps that are run again
}

func (p *program) retryClosing(ctx context.Context, b *baler.Baler, cfg config.Config, id string, wait bool) error {
	t, err := b.Transfer(ctx, id)
	if err != nil {
		return err
	}
	n, err := b.RetryFinalizers(ctx, t)
	if err != nil {
		return err
	}
	switch {
	case p.json:
		err = p.object(closingRetrial{"retry", t.UUID, n})
	case n > 0:
		p.printf("%s of transfer %s to run again.", plural(n, "final step"), t.UUID)
	default:
		p.printf("Nothing of transfer %s is to be run again: no final step failed.", t.UUID)
	}
	if err != nil {
		return err
	}
	return p.afterRetry(ctx, b, cfg, &t, n, wait)
}
