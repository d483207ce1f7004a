package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// ErrSourceEmpty says that a source has no file, although earlier runs found some there.
var ErrSourceEmpty = errors.New("a source is empty or away")

// PresentSources returns the sources that are to be scanned. A source without a file, in
// which earlier runs found files, is ErrSourceEmpty, for it may be a disk that is not
// mounted, unless the submission allows it.
func (g *Ingester) PresentSources(ctx context.Context, s *TransferRequest, sources []string, runKey string) (present []string, err error) {
	for _, source := range sources {
		found, why, err := g.hasFile(ctx, source)
		if err != nil {
			return nil, err
		}
		known := false
		if !found {
			if known, err = g.store.HasFilesAt(ctx, runKey, source); err != nil {
				return nil, err
			}
		}
		if known && !s.AllowEmpty {
			return nil, fmt.Errorf("%w: %s: %s, but earlier runs found files there; "+
				"make it available, or run with --allow-empty if they are meant to be gone", ErrSourceEmpty, source, why)
		}
		if known && g.away(ctx, source) {
			continue // meant to be away: no file of this run
		}
		present = append(present, source)
	}
	return present, nil
}

// away reports whether there is nothing at a source.
func (g *Ingester) away(ctx context.Context, source string) bool {
	if tasks.IsObject(source) {
		return g.objects == nil || errors.Is(g.objects.Exists(ctx, source), fs.ErrNotExist)
	}
	_, err := os.Lstat(source)
	return err != nil
}

// hasFile reports whether there is a file at or below a path, and else why there is none.
func (g *Ingester) hasFile(ctx context.Context, source string) (found bool, why string, err error) {
	stop := errors.New("stop") // ends the scan at the first hit
	why = "it holds no file"
	_, err = scan.Scan(ctx, []string{source}, scan.Options{Exclude: []string{g.stateDir}, Objects: g.objects}, func(f tasks.File) error {
		if f.ScanError == "" {
			found = true
			return stop
		}
		why = f.ScanError
		return nil
	})
	if found {
		err = nil
	}
	return found, why, err
}
