package ingest

import (
	"context"
	"slices"

	"github.com/balerhq/baler/tasks"
)

// BeginFinalSteps begins a transfer without files for those final steps of a recipe that
// have not run over the collection as it is, and reports false when all have. Steps that
// failed in one of the transfers tried do not run again.
func (g *Ingester) BeginFinalSteps(
	ctx context.Context, s *Submission, sources []string, runKey string, tried []int64,
) (t tasks.Transfer, begun bool, err error) {
	n := g.newTransfer(s, sources, runKey)
	n.Key = ""
	digests := make([]string, len(n.Finalizers))
	for i := range n.Finalizers {
		digests[i] = n.Finalizers[i].Digest
	}
	open, err := g.store.OpenFinalSteps(ctx, runKey, digests, tried)
	if err != nil || len(open) == 0 {
		return t, false, err
	}
	n.Finalizers = slices.DeleteFunc(n.Finalizers, func(f tasks.FinalizeStep) bool { return !slices.Contains(open, f.Digest) })
	if t, _, err = g.create(ctx, n); err != nil {
		return t, false, err
	}
	_, err = g.store.Seal(ctx, t.ID)
	return t, true, err
}
