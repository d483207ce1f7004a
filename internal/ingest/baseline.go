package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// sourcesKey is the key that all transfers of the same sources and selection share, whatever
// their recipes are. Lists have none.
func sourcesKey(s *TransferRequest, sources []string) string {
	if FromList(sources) {
		return ""
	}
	text := strings.Join(distinct(sources), "\x00")
	if !s.Selection.All() {
		text += "\x00\x00" + s.Selection.String()
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// AddBaseline adds to the collection of a fixity run what transfers of the same sources
// have recorded since the last one. The newest size, modification time and place of a file
// count, and the first digest that was recorded for them. It returns what NoteBaseline
// takes when the run has a transfer.
func (g *Ingester) AddBaseline(ctx context.Context, s *TransferRequest, sources []string, runKey string) (at time.Time, err error) {
	b, err := g.store.Baseline(ctx, sourcesKey(s, sources), runKey)
	if err != nil {
		return at, err
	}
	for _, transfer := range b.Transfers {
		for after := int64(0); ; {
			files, err := g.store.FilesAfter(ctx, transfer, after, fixity.Page, false)
			if err != nil {
				return at, err
			}
			if len(files) == 0 {
				break
			}
			after = files[len(files)-1].No
			if err := g.adopt(ctx, runKey, transfer, files); err != nil {
				return at, fmt.Errorf("compare with transfer %d: %w", transfer, err)
			}
		}
	}
	return b.At, nil
}

// adopt adds some files of an earlier transfer to a collection.
func (g *Ingester) adopt(ctx context.Context, runKey string, transfer int64, files []tasks.File) error {
	whole := files[:0]
	for i := range files {
		if files[i].Part == 0 && files[i].ScanError == "" && files[i].Emitted == nil {
			whole = append(whole, files[i])
		}
	}
	if len(whole) == 0 {
		return nil
	}
	seen, err := g.store.CompareFiles(ctx, runKey, 0, whole)
	if err != nil {
		return err
	}
	keys := make([]tasks.FileKey, 0, 2*len(whole))
	for i := range whole {
		keys = append(keys, tasks.FileKey{Transfer: transfer, File: whole[i].No}, seen[i].At)
	}
	facts, err := fixity.FactsOf(ctx, g.store, keys)
	if err != nil {
		return err
	}
	adopted := whole[:0]
	for i := range whole {
		has, had := fixity.HasDigest(facts[keys[2*i]]), fixity.HasDigest(facts[keys[2*i+1]])
		newer := seen[i].Status == ledger.Changed && seen[i].At.Transfer < transfer
		if seen[i].Status == ledger.Added || newer || seen[i].Status != ledger.Changed && has && !had {
			adopted = append(adopted, whole[i])
		}
	}
	return g.store.Adopt(ctx, runKey, transfer, adopted)
}
