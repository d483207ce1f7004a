package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// ErrListByRequests says that a client adds the files of a transfer over HTTP.
var ErrListByRequests = errors.New("its files come over HTTP: submit the list through that server again, or seal the transfer")

// RegisterList registers the files of a new transfer's list, and seals the transfer.
func (g *Ingester) RegisterList(ctx context.Context, t tasks.Transfer, s *TransferRequest, leftOut OutputFinder) (tasks.Transfer, error) {
	r, err := g.NewRegistrar(ctx, t.ID, "")
	if err != nil {
		return t, err
	}
	l := listRegistrar{ingester: g, registrar: r, transfer: &t, submission: s}
	return l.run(ctx, leftOut)
}

// RegisterRestOfList registers the files of a transfer's list that are not registered yet,
// and seals the transfer. It becomes the transfer's only producer. A list that does not
// begin with the paths that are registered is an ErrKeyReused, and adds nothing.
func (g *Ingester) RegisterRestOfList(
	ctx context.Context, t tasks.Transfer, s *TransferRequest, leftOut OutputFinder,
) (tasks.Transfer, error) {
	r, err := g.NewRegistrar(ctx, t.ID, "")
	if err != nil {
		return t, err
	}
	now, err := g.store.TransferByID(ctx, t.ID) // only now: an earlier producer adds no more
	if err != nil {
		return t, errors.Join(err, r.Close(ctx))
	}
	last, err := g.store.LastFileNo(ctx, t.ID)
	if err != nil {
		return t, errors.Join(err, r.Close(ctx))
	}
	s.Recipe, s.Selection = r.Recipe(), t.Selection
	l := listRegistrar{ingester: g, registrar: r, transfer: &now, submission: s, had: now.List, last: last}
	return l.run(ctx, leftOut)
}

// CheckList reports an ErrKeyReused when a sealed transfer was submitted with another list.
func (g *Ingester) CheckList(ctx context.Context, t *tasks.Transfer, s *TransferRequest) error {
	const remembered = 1000
	var (
		list  tasks.ListMark
		first []string
	)
	for path, err := range scan.Paths(s.List, s.NulSeparated) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			list, err = list.Next(path)
		}
		if err != nil {
			return err
		}
		if len(first) < remembered {
			first = append(first, path)
		}
	}
	difference := t.List.Difference(list)
	if difference == "" {
		return nil
	}
	files, err := g.absolute(slices.DeleteFunc(first, isNoFile))
	if err != nil {
		return err
	}
	unknown, err := g.store.Unregistered(ctx, t.ID, files)
	if err != nil {
		return err
	}
	if unknown != "" && t.List.Paths > 0 {
		difference += fmt.Sprintf(", and no file %q", unknown)
	}
	return reused(t, s.IdempotencyKey, difference)
}

// isNoFile reports whether a path of a list is there and no file, so that no file of a
// transfer has it.
func isNoFile(path string) bool {
	if tasks.IsObject(path) {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && !info.Mode().IsRegular()
}

// listRegistrar registers the files of a list.
type listRegistrar struct {
	ingester   *Ingester
	registrar  *Registrar
	transfer   *tasks.Transfer
	submission *TransferRequest

	had  tasks.ListMark // of the paths whose files were all registered before
	last tasks.File     // the last file that was registered before: of the path behind these
	list tasks.ListMark // of the paths read so far
	from []string       // the last of these, as a source
}

func (l *listRegistrar) run(ctx context.Context, leftOut OutputFinder) (tasks.Transfer, error) {
	t := l.transfer
	out, err := leftOut(l.submission.Recipe, t.Name, t.Sources)
	if err == nil {
		err = l.read(ctx, out)
	}
	if err == nil && l.last.No > 0 && l.list.Paths <= l.had.Paths {
		err = reused(t, t.Key, fmt.Sprintf("more than the %d paths of this list", l.list.Paths))
	}
	return l.ingester.Seal(ctx, t.ID, l.list, errors.Join(err, l.registrar.Close(ctx)))
}

// read adds the files of the list. Those of paths that were registered before are walked,
// too: what they hold is not added again by a path behind them.
func (l *listRegistrar) read(ctx context.Context, leftOut map[string]bool) error {
	g, s := l.ingester, l.submission
	o, err := g.scanOptions(s)
	if err != nil {
		return err
	}
	add := g.splitting(ctx, s, tasks.File{}, func(f tasks.File) error { return l.registrar.Add(ctx, f) })
	rest := g.splitting(ctx, s, l.last, func(f tasks.File) error {
		laterChunk := f.Path == l.last.Path && f.Part > l.last.Part
		if !laterChunk && !scan.SourceOrder(l.from, l.last.Path, f.Path) {
			return nil
		}
		return l.registrar.Add(ctx, f)
	})
	files := scan.NewLister(ctx, o, leavingOut(leftOut, func(f tasks.File) error {
		switch {
		case l.list.Paths <= l.had.Paths:
			return nil
		case l.inPart():
			return rest(f)
		}
		return add(f)
	}))
	for path, err := range scan.Paths(s.List, s.NulSeparated) {
		if err == nil {
			err = l.next(path)
		}
		if err == nil {
			err = files.Add(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inPart reports whether the last path read is the one at which the producer before was
// broken off.
func (l *listRegistrar) inPart() bool { return l.last.No > 0 && l.list.Paths == l.had.Paths+1 }

// next takes the next path of the list.
func (l *listRegistrar) next(path string) (err error) {
	if l.list.Paths >= l.had.Paths {
		l.registrar.Listed(l.list)
	}
	if l.list, err = l.list.Next(path); err != nil {
		return err
	}
	if l.list.Paths == l.had.Paths && l.list != l.had {
		return reused(l.transfer, l.transfer.Key, fmt.Sprintf("other paths at the beginning of its list, among the first %d", l.had.Paths))
	}
	if !l.inPart() {
		return nil
	}
	if !tasks.IsObject(path) {
		if path, err = filepath.Abs(path); err != nil {
			return fmt.Errorf("resolve %s: %w", path, err)
		}
	}
	l.from = []string{path}
	if !within(l.last.Path, path) {
		return reused(l.transfer, l.transfer.Key, fmt.Sprintf("%q, not %q, as path %d of its list", l.last.Path, path, l.list.Paths))
	}
	return nil
}

func within(path, source string) bool {
	if tasks.IsObject(path) || tasks.IsObject(source) {
		return handlers.IsInObject(source, path)
	}
	return path == source || Below(path, source)
}

// ByRequests reports whether a client adds the files of a transfer over HTTP.
func (g *Ingester) ByRequests(ctx context.Context, transfer int64) (bool, error) {
	intake, err := g.store.IntakeOf(ctx, transfer)
	return intake == ledger.IntakeRequests, err
}
