package cli

import (
	"context"

	"github.com/balerhq/baler/config"
)

// finalizersReport is the JSON object that retry --finalizers reports.
type finalizersReport struct {
	Type       string `json:"type"` // always "retry"
	Transfer   string `json:"transfer"`
	Finalizers int64  `json:"finalizers"` // steps that are run again
}

func (p *program) retryFinalizers(ctx context.Context, b system, cfg config.Config, id string, wait bool) error {
	t, err := b.FindTransfer(ctx, id)
	if err != nil {
		return err
	}
	p.changed = t.UUID
	n, err := b.RetryFinalizers(ctx, t)
	if err != nil {
		return err
	}
	switch {
	case p.json:
		err = p.object(finalizersReport{"retry", t.UUID, n})
	case n > 0:
		p.printf("Retrying %s of transfer %s.", plural(n, "final step"), number(&t))
	default:
		p.printf("Nothing to retry in transfer %s: no final step failed.", number(&t))
	}
	if err != nil {
		return err
	}
	return p.afterRetry(ctx, b, cfg, &t, n, wait)
}
