package server

import (
	"context"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// pages reads for the pages of the dashboard what the HTTP API does not offer.
type pages struct {
	*store.Store

	backend *Backend
}

// show sets what the pages show.
func (b *Backend) show(o *web.Options) {
	p := pages{Store: b.Store, backend: b}
	o.History, o.Files, o.System, o.Formats, o.Letters, o.Outputs, o.Fixity, o.Thumbnails = p, p, b, p, b, b, b, b
	if o.Submitter != nil {
		o.Starter = b
	}
}

// SearchTransfers is Store.SearchTransfers with WaitingFor.
func (p pages) SearchTransfers(ctx context.Context, q *ledger.TransferQuery) ([]tasks.Transfer, bool, error) {
	ts, complete, err := p.Store.SearchTransfers(ctx, q)
	if err != nil {
		return nil, false, err
	}
	return ts, complete, p.backend.Explain(ctx, ts)
}

// FilesByNumber implements web.Files.
func (p pages) FilesByNumber(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error) {
	return p.Files(ctx, transfer, numbers)
}

// FilesAfter implements web.FormatReader.
func (p pages) FilesAfter(ctx context.Context, t tasks.Transfer, after int64, limit int) ([]tasks.File, error) {
	return p.Store.FilesAfter(ctx, t.ID, after, limit, false)
}

// FactsOf implements web.FormatReader.
func (p pages) FactsOf(ctx context.Context, t tasks.Transfer, numbers tasks.Ranges) (map[int64]map[string]any, error) {
	return p.Facts(ctx, t.ID, len(t.Steps)+1, numbers)
}
