package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/address"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// httpFace does for the HTTP API what the methods of Baler do for a program.
type httpFace struct {
	*Baler

	registrar *ingest.ServerRegistrar
	failures  keptFailures
	replica   *replica // nil: there is none
	ownRun    bool     // it shows the pages of one person's run
}

// Submit implements api.Submitter.
func (h *httpFace) Submit(ctx context.Context, s api.SubmissionRequest) (t tasks.Transfer, created bool, err error) {
	r, err := h.recipeOf(ctx, &s)
	if err != nil {
		return t, false, err
	}
	sub := ingest.TransferRequest{
		Paths: s.Paths, Selection: s.Selection, Recipe: r, Name: s.Name, IdempotencyKey: s.IdempotencyKey, Queue: s.Queue,
		Weight: s.Weight, Via: s.Via, MissingOK: s.MissingOK, Webhooks: s.Webhooks, NoReuse: s.NoReuse,
		StopAfter: s.StopAfter, Deadline: s.Deadline,
	}
	sources, err := h.sources(&sub)
	if err != nil {
		return t, false, err
	}
	intake := ledger.IntakeServer
	if len(s.Paths) == 0 {
		intake, sources = ledger.IntakeRequests, ingest.ListSources()
		via := tasks.ViaGroup // as for a list: files may come slowly
		if h.queue.Embedded() {
			via = tasks.ViaBulk // the queue ends with this process; the rows do not
		}
		sub.Name, sub.Via = cmp.Or(s.Name, "files over HTTP"), cmp.Or(s.Via, via)
	}
	t, created, err = h.create(ctx, &sub, sources, intake)
	if err == nil && created && intake == ledger.IntakeServer {
		h.registrar.Start(t)
	}
	return t, created, err
}

// create makes the transfer, unless its key has made it before.
func (h *httpFace) create(
	ctx context.Context, sub *ingest.TransferRequest, sources []string, intake ledger.Intake,
) (t tasks.Transfer, created bool, err error) {
	t, found, err := h.ingester.ByKey(ctx, sub, sources)
	if err == nil && !found {
		t, created, err = h.newTransfer(ctx, sub, sources, intake)
	}
	if errors.Is(err, ErrKeyReused) {
		err = &api.RequestError{Err: err, Conflict: true}
	}
	return t, created, err
}

func (h *httpFace) newTransfer(
	ctx context.Context, sub *ingest.TransferRequest, sources []string, intake ledger.Intake,
) (t tasks.Transfer, created bool, err error) {
	if err := h.ingester.CheckPaths(ctx, sub); err != nil {
		return t, false, &api.RequestError{Field: "paths", Err: err}
	}
	if _, err := h.outputFiles(sub.Recipe, sub.Name, sources); err != nil {
		return t, false, &api.RequestError{Field: "recipe", Err: err}
	}
	return h.ingester.CreateFor(ctx, sub, sources, intake)
}

// recipeOf loads and checks the recipe of a submission.
func (h *httpFace) recipeOf(ctx context.Context, s *api.SubmissionRequest) (*recipe.Recipe, error) {
	r, err := h.loadRecipe(ctx, s)
	if err == nil && r.Fixity {
		return nil, &api.RequestError{Field: "recipe", Err: ErrFixitySubmit}
	}
	return r, err
}

// loadRecipe loads and checks a recipe, which may compare files with earlier transfers.
func (h *httpFace) loadRecipe(ctx context.Context, s *api.SubmissionRequest) (r *recipe.Recipe, err error) {
	if s.Inline {
		r, err = recipe.Parse("recipe", []byte(s.Recipe))
	} else {
		name := cmp.Or(s.Recipe, DefaultRecipe)
		path, known := h.recipePath(name)
		if !known {
			err = fmt.Errorf("the server knows no recipe named %q; it knows %s", name, strings.Join(h.Recipes(), ", "))
		} else {
			r, err = recipe.Load(path)
		}
	}
	if err == nil {
		err = h.CheckRecipe(ctx, r)
	}
	switch wrong, ok := errors.AsType[recipe.Errors](err); {
	case ok:
		return nil, &api.RequestError{Field: "recipe", Err: wrong}
	case err != nil && r == nil:
		return nil, &api.RequestError{Field: "recipe", Err: err}
	case err != nil:
		return nil, err
	}
	return r, nil
}

// sources checks the paths of a submission.
func (h *httpFace) sources(sub *ingest.TransferRequest) ([]string, error) {
	if len(h.cfg.Roots) == 0 {
		return nil, &api.RequestError{
			Denied: true, Err: fmt.Errorf("the server accepts no files over HTTP: %w", ErrNoRoots),
		}
	}
	for _, p := range sub.Paths {
		if tasks.IsObject(p) {
			if path, _, err := address.Parse(p); err != nil || strings.TrimSuffix(p, "/") != path {
				// Where requests with this server's credentials go is not for clients to choose.
				return nil, &api.RequestError{
					Field: "paths", Err: errors.New("a path in object storage is scheme://bucket/prefix, without parameters"),
				}
			}
			continue
		}
		if !filepath.IsAbs(p) {
			return nil, &api.RequestError{Field: "paths", Err: fmt.Errorf("%q is not an absolute path", p)}
		}
	}
	// Check this first: a client that may not read a path must not learn whether it exists.
	roots := worker.ReadableRoots(h.cfg.Roots)
	for _, p := range sub.Paths {
		if err := checkReadable(roots, cleanPath(p)); err != nil {
			return nil, err
		}
	}
	sources, err := h.ingester.Sources(sub)
	if err != nil {
		return nil, &api.RequestError{Err: err}
	}
	return sources, nil
}

// checkReadable reports whether a path leads out of the roots.
func checkReadable(roots []string, path string) error {
	if tasks.IsObject(path) {
		return checkWithin(roots, path, path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path // it does not exist, or may not be looked at: its name decides
	}
	return checkWithin(roots, path, path, real)
}

// checkWithin reports whether one of the names of a path lies outside of the roots.
func checkWithin(roots []string, path string, names ...string) error {
	for _, p := range names {
		if !slices.ContainsFunc(roots, func(root string) bool { return isIn(p, root) }) {
			return &api.RequestError{
				Denied: true, Err: fmt.Errorf("%q lies outside of the folders that the server may read (BALER_ROOTS)", path),
			}
		}
	}
	return nil
}

func isIn(path, root string) bool {
	if tasks.IsObject(path) || tasks.IsObject(root) {
		return handlers.IsInObject(root, path)
	}
	return path == root || ingest.Below(path, root)
}

// cleanPath is filepath.Clean for paths of files. Those of objects are as they are.
func cleanPath(path string) string {
	if tasks.IsObject(path) {
		return strings.TrimSuffix(path, "/")
	}
	return filepath.Clean(path)
}

// closeTimeout is how long registering may take after the last file came. The database may
// be unavailable, and the server must be able to stop.
const closeTimeout = 20 * time.Second

// AddFiles implements api.Submitter.
func (h *httpFace) AddFiles(
	ctx context.Context, t tasks.Transfer, files iter.Seq2[api.ListedFile, error], o api.AddOptions,
) (added int64, err error) {
	if err := h.takesRequests(ctx, t); err != nil {
		return 0, err
	}
	lasting := context.WithoutCancel(ctx) // what came is registered, also when the client has gone
	r, err := h.ingester.NewRegistrar(lasting, t.ID, "")
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
	roots := worker.ReadableRoots(h.cfg.Roots)
	list := scan.NewLister(ctx, scan.Options{Exclude: []string{h.cfg.StateDir}, OnSkipped: skippedOf(o.OnSkipped), Objects: h.objects}, emit)
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
func (h *httpFace) takesRequests(ctx context.Context, t tasks.Transfer) error {
	intake, err := h.store.IntakeOf(ctx, t.ID)
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

// Seal implements api.Submitter.
func (h *httpFace) Seal(ctx context.Context, t tasks.Transfer, list tasks.ListMark) error {
	if t.State == tasks.StateCanceled {
		return &api.RequestError{Err: errors.New("the transfer was canceled"), Conflict: true}
	}
	if t.State == tasks.StateOpen || t.State == tasks.StateInterrupted {
		if err := h.takesRequests(ctx, t); err != nil {
			return err
		}
	}
	_, err := h.ingester.Seal(ctx, t.ID, list, nil)
	return err
}
