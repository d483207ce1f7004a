package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/tasks"
)

// closeTimeout is how long registering may take after the last file came. The database may
// be unavailable, and the server must be able to stop.
const closeTimeout = 20 * time.Second

// AddFiles implements api.Submitter.
func (b *Backend) AddFiles(
	ctx context.Context, t tasks.Transfer, files iter.Seq2[api.ListedFile, error], o api.AddOptions,
) (added int64, err error) {
	if err := b.takesRequests(ctx, t); err != nil {
		return 0, err
	}
	lasting := context.WithoutCancel(ctx) // what came is registered, also when the client has gone
	r, err := b.Ingester.NewRegistrar(lasting, t.ID, "")
	if err != nil {
		return 0, conflict(err)
	}
	// Seal only now: no other request adds files any more, such as one whose connection broke.
	if has := r.Before(); o.At >= 0 && o.At != has {
		wrong := &api.RequestError{Conflict: true, Err: fmt.Errorf("the transfer has %s, not %d", english.Plural(int(has), "file", ""), o.At)}
		return 0, errors.Join(wrong, r.Close(lasting))
	}
	emit := func(f tasks.File) error {
		err := r.Add(ctx, f)
		if err == nil {
			added++
		}
		return err
	}
	roots := worker.ReadableRoots(b.Readable)
	list := scan.NewLister(ctx, scan.Options{Exclude: []string{b.StateDir}, OnSkipped: skippedOf(o.OnSkipped), Objects: b.Objects}, emit)
	for f, failed := range files {
		switch {
		case failed != nil:
			err = failed
		case f.Stat:
			err = checkReadable(roots, f.Path)
			if err == nil && o.NoFolders {
				err = checkNoFolder(f.Path)
			}
			if err == nil {
				err = list.Add(f.Path)
			}
		default: // it need not exist here: workers check what its name leads to
			if err = checkWithin(roots, f.Path, f.Path); err == nil {
				err = emit(f.File)
			}
		}
		if err != nil {
			break
		}
	}
	closing, cancel := context.WithTimeout(lasting, closeTimeout)
	defer cancel()
	closed := r.Close(closing)
	if closed != nil { // how many are added is unknown; the transfer says how many it has
		return 0, conflict(closed)
	}
	return added, conflict(err)
}

// checkNoFolder reports a folder. A link to one is none: lists do not follow it.
func checkNoFolder(path string) error {
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return &api.RequestError{Err: fmt.Errorf("%q is a folder: name the files in it, as find -type f does", path)}
	}
	return nil
}

func skippedOf(tell func(api.Skipped)) func(scan.SkippedEntry) {
	return func(s scan.SkippedEntry) { tell(api.Skipped{Path: s.Path, Reason: string(s.Reason), Detail: s.Detail}) }
}

// takesRequests reports an error for a transfer whose files do not come by requests: its
// producer continues behind the last file, and would take a stranger's file for its own.
func (b *Backend) takesRequests(ctx context.Context, t tasks.Transfer) error {
	intake, err := b.Store.IntakeOf(ctx, t.ID)
	if err == nil && intake != ledger.IntakeRequests {
		err = &api.RequestError{Conflict: true, Err: errors.New("the transfer was not submitted to take files by requests: " +
			"its producer registers the files, and seals it")}
	}
	return err
}

// conflict marks errors of a transfer that takes no files from this client.
func conflict(err error) error {
	if errors.Is(err, store.ErrSealed) || errors.Is(err, store.ErrProducerConflict) {
		return &api.RequestError{Err: err, Conflict: true}
	}
	return err
}
