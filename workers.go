package baler

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// ErrWorkerNotFound says that no live worker has the name.
var ErrWorkerNotFound = errors.New("no such worker")

// Workers lists the live workers by name.
func (b *Baler) Workers(ctx context.Context) ([]tasks.Worker, error) {
	return b.store.Workers(ctx)
}

// SetWorkerState sets the desired state of a live worker: to take batches, to take
// none, or to finish its batches and end. The worker applies it within seconds.
func (b *Baler) SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error {
	known, err := b.store.SetDesiredState(ctx, name, desired)
	if err == nil && !known {
		err = fmt.Errorf("%w: %s", ErrWorkerNotFound, name)
	}
	return err
}
