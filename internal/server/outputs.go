package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/finalize"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// Outputs implements web.Outputs: the files that final steps with state done have written
// where this host can read them. A recipe or a path that cannot be read gives none.
func (b *Backend) Outputs(_ context.Context, t tasks.Transfer) (all []web.OutputFile, err error) {
	within, err := handlers.NewOutputRoots(b.Writable)
	if err != nil {
		return nil, err
	}
	for _, o := range ingest.WrittenOutputs(b.Registry, &t, within) {
		if o.Info.Mode().IsRegular() {
			all = append(all, web.OutputFile{Step: o.Step, Path: o.Path, Size: o.Info.Size()})
		}
	}
	return all, nil
}

// OpenOutput implements web.Outputs. A recipe may name any path: only what a final step of
// the transfer has written there, as it was written, is handed out.
func (b *Backend) OpenOutput(ctx context.Context, t tasks.Transfer, path string) (io.ReadSeekCloser, error) {
	runKey, err := b.Store.RunKey(ctx, t.ID)
	if err != nil {
		return nil, err
	}
	gone := &api.RequestError{Missing: true, Err: fmt.Errorf("%s is no longer what a final step of this transfer wrote", filepath.Base(path))}
	f, err := os.Open(path)
	if err != nil {
		return nil, gone
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return nil, errors.Join(gone, f.Close())
	}
	wrote, err := b.Store.Wrote(ctx, finalize.OwnerOf(runKey, t.UUID), path, hex.EncodeToString(sum.Sum(nil)))
	if err == nil && !wrote {
		err = gone
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
