package ingest

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// BeginFinalSteps begins a transfer without files for those final steps of a recipe that
// have not run over the collection as it is, with the inputs that they have now, and reports
// false when all have. Steps that failed in one of the transfers tried do not run again.
func (g *Ingester) BeginFinalSteps(
	ctx context.Context, s *TransferRequest, sources []string, runKey string, inputs map[int]string, tried []int64,
) (t tasks.Transfer, begun bool, err error) {
	n := g.newTransfer(s, sources, runKey)
	n.Key = ""
	n.Finalizers, err = g.store.OpenFinalSteps(ctx, runKey, withInputs(n.Finalizers, inputs), tried)
	if err != nil || len(n.Finalizers) == 0 {
		return t, false, err
	}
	if t, _, err = g.create(ctx, n); err != nil {
		return t, false, err
	}
	_, err = g.store.Seal(ctx, t.ID)
	return t, true, err
}

// NoteInputs notes on what the final steps of a transfer that is not sealed depend besides
// its files, by their numbers.
func (g *Ingester) NoteInputs(ctx context.Context, s *TransferRequest, transfer int64, inputs map[int]string) error {
	return g.store.NoteInputs(ctx, transfer, withInputs(g.newTransfer(s, nil, "").Finalizers, inputs))
}

func withInputs(steps []tasks.FinalizeStep, inputs map[int]string) []tasks.FinalizeStep {
	for i := range steps {
		steps[i].Inputs = inputs[steps[i].Number]
	}
	return steps
}
