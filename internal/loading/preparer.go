// Package loading prepares loads of JSON lines: it makes their recipe and their table, and has
// files loaded again whose rows a table has lost, or for which it has got columns since.
package loading

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Options are what a Preparer works with.
type Options struct {
	Store     *store.Store
	Transfers *dispatch.TransferCache
	Ingester  *ingest.Ingester
	Objects   *storage.Buckets
	Log       *slog.Logger
}

// Preparer prepares loads into the tables of one database. Make one with New. It is safe for
// concurrent use.
type Preparer struct {
	store     *store.Store
	tables    *tableload.Store
	transfers *dispatch.TransferCache
	ingester  *ingest.Ingester
	objects   *storage.Buckets
	log       *slog.Logger

	saidChanged sync.Map // tables whose changed rows were reported
}

// New makes a Preparer.
func New(o Options) *Preparer {
	return &Preparer{
		store: o.Store, tables: tableload.New(o.Store.DB()), transfers: o.Transfers, ingester: o.Ingester, objects: o.Objects, log: o.Log,
	}
}

// Load is what is to be loaded.
type Load struct {
	load.Args

	ChunkSize int64 // of the chunks that files are split into, in bytes
	Paths     []string

	// OnColumnsAdded is called with the names of columns that were added; may be nil.
	OnColumnsAdded func(names []string)
}

// Recipe makes the recipe of a load, and the table when that is to be created. It checks that
// the table fits the mapping. When the table was emptied or replaced, it cancels the unfinished
// transfer of an earlier run, so that the next one loads all files again.
func (p *Preparer) Recipe(ctx context.Context, l Load) (*recipe.Recipe, error) {
	files, err := p.linesOf(l.Paths)
	if err != nil {
		return nil, err
	}
	if err := scan.Missing(ctx, files.Paths, p.objects); err != nil {
		return nil, err
	}
	plan, err := l.Resolve()
	if err != nil {
		return nil, err
	}
	r, err := l.Recipe(l.ChunkSize)
	if err != nil {
		return nil, err
	}
	if err := plan.CheckFiles(ctx, files); err != nil {
		return nil, err
	}
	if plan.Create {
		if err := p.inferColumns(ctx, plan, files, l.OnColumnsAdded); err != nil {
			return nil, err
		}
	}
	if err := plan.CheckMembers(ctx, p.tables, files); err != nil {
		return nil, err
	}
	loss, err := p.tables.ForgetLost(ctx, plan.Into)
	if err != nil {
		return nil, err
	}
	if err := plan.Prepare(ctx, p.tables); err != nil {
		return nil, err
	}
	if forgotten := p.warnLost(ctx, plan.Into, loss); forgotten {
		sub := ingest.TransferRequest{Paths: l.Paths, Recipe: r}
		sources, err := p.ingester.Sources(&sub)
		if err != nil {
			return nil, err
		}
		return r, p.cancelRun(ctx, ingest.RunKeyOf(&sub, sources))
	}
	if len(l.Map) == 0 {
		return r, p.loadLeftOut(ctx, plan, r)
	}
	return r, nil
}

// linesOf are the files that are to be loaded; addresses in object storage lose their parameters.
func (p *Preparer) linesOf(paths []string) (*load.LineFiles, error) {
	files := &load.LineFiles{Paths: slices.Clone(paths), Objects: p.objects}
	for i, path := range paths {
		if !tasks.IsObject(path) {
			continue
		}
		var err error
		if files.Paths[i], err = p.objects.Add(path); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// loadLeftOut makes the next load of a recipe load files again that have members for
// which the table has got columns since. Only a load that updates rows can fill them; it
// says so for others.
func (p *Preparer) loadLeftOut(ctx context.Context, into *load.Plan, r *recipe.Recipe) error {
	left, err := p.tables.LeftOut(ctx, into.Into)
	if err != nil {
		return err
	}
	var transfers []int64
	var members []string
	for _, l := range left {
		plan, err := p.transfers.Get(ctx, l.Transfer)
		_, deleted := errors.AsType[*tasks.DeletedError](err)
		if deleted || errors.Is(err, tasks.ErrTransferNotFound) || errors.Is(err, dispatch.ErrBadRecipe) {
			continue // its record of loads is gone
		}
		if err != nil {
			return err
		}
		if plan.Recipe.Digest() == r.Digest() {
			transfers, members = append(transfers, l.Transfer), append(members, l.Members...)
		}
	}
	if len(transfers) == 0 {
		return nil
	}
	slices.Sort(members)
	members = slices.Compact(members)
	if into.OnDuplicate != tableload.DuplicateUpdate {
		p.log.WarnContext(ctx, "the table has columns now for members that were left out, but they are empty in the rows loaded before: "+
			"to fill them, load with a key and on-duplicate update, or empty the table and load again", "table", into.Into, "members", members)
		return nil
	}
	p.log.WarnContext(ctx, "the table has columns now for members that were left out: loading their files again",
		"table", into.Into, "members", members)
	return p.tables.ForgetTransfers(ctx, transfers)
}

// ForgetLost makes the next run load files again when a table that earlier runs loaded
// them into no longer has their rows.
func (p *Preparer) ForgetLost(ctx context.Context, runKey string) error {
	tables, err := p.tables.TablesOf(ctx, runKey)
	if err != nil {
		return err
	}
	for _, table := range tables {
		loss, err := p.tables.ForgetLost(ctx, table)
		if err != nil {
			return err
		}
		if !p.warnLost(ctx, table, loss) {
			continue
		}
		if err := p.cancelRun(ctx, runKey); err != nil {
			return err
		}
	}
	return nil
}

// warnLost says what a table has lost, and reports whether its files are loaded again.
func (p *Preparer) warnLost(ctx context.Context, table string, loss tableload.Loss) (again bool) {
	switch loss {
	case tableload.Emptied:
		p.log.WarnContext(ctx, "the table was dropped or emptied: loading its files again", "table", table)
		return true
	case tableload.Replaced:
		p.log.WarnContext(ctx, "the table has none of the rows that were loaded into it before, only others: loading its files again",
			"table", table)
		return true
	case tableload.Changed:
		if _, said := p.saidChanged.LoadOrStore(table, true); said {
			return false
		}
		p.log.WarnContext(ctx, "the table has none of the rows that were loaded into it before: it was replaced, or they were changed; "+
			"to load its files again, empty the table, or load with a key", "table", table)
	case tableload.NoLoss:
	}
	return false
}

// cancelRun cancels the unfinished transfer of a run, so that the next run begins a new
// one. If it continued the old one, it would skip lines whose rows are gone.
func (p *Preparer) cancelRun(ctx context.Context, runKey string) error {
	t, err := p.store.Latest(ctx, runKey)
	if errors.Is(err, tasks.ErrTransferNotFound) || err == nil && t.State.Ended() {
		return nil
	}
	if err == nil {
		_, err = p.store.Cancel(ctx, t.ID)
	}
	return err
}

// inferColumns completes the plan for a table that is to be created, or adds missing
// columns to an existing one.
func (p *Preparer) inferColumns(ctx context.Context, plan *load.Plan, files *load.LineFiles, onAdded func(names []string)) error {
	added, err := plan.AddColumns(ctx, p.tables, files)
	if errors.Is(err, tableload.ErrNoTable) {
		return plan.InferColumns(ctx, files)
	}
	if err == nil && len(added) > 0 && onAdded != nil {
		onAdded(added)
	}
	return err
}
