package finalize

import (
	"cmp"
	"context"
	"log/slog"

	"github.com/balerhq/baler/internal/db"
)

// OutputStore remembers what final steps have written.
type OutputStore interface {
	Wrote(ctx context.Context, owner, path, digest string) (bool, error)
	NoteOutput(ctx context.Context, owner, path, digest string) error
}

// written knows the outputs of the final steps of one collection, or of one transfer
// without a collection. It implements handlers.WrittenOutputs.
type written struct {
	ctx   context.Context //nolint:containedctx // of one attempt of a step, whose handler writes
	in    OutputStore
	owner string
	log   *slog.Logger
}

// OwnerOf names who may replace an output: every transfer of a run of the same sources
// and steps, or else the transfer alone.
func OwnerOf(runKey, transfer string) string { return cmp.Or(runKey, transfer) }

// Wrote implements handlers.WrittenOutputs.
func (w written) Wrote(path, digest string) (wrote bool, err error) {
	err = db.RetryOutage(w.ctx, w.log, func() (err error) {
		wrote, err = w.in.Wrote(w.ctx, w.owner, path, digest)
		return err
	})
	return wrote, err
}

// Note implements handlers.WrittenOutputs.
func (w written) Note(path, digest string) error {
	return db.RetryOutage(w.ctx, w.log, func() error { return w.in.NoteOutput(w.ctx, w.owner, path, digest) })
}
