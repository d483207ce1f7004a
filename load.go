package baler

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// LoadOptions says which JSON lines go into which table, and how. Into must be given.
type LoadOptions struct {
	Into         string
	Map          []string // "column=path:type" each; empty: each column gets the member of its name
	LineColumn   string   // the column that gets each whole line; empty for none
	LineContains string   // lines without this text are skipped; empty for none
	Key          []string // the columns that identify duplicates
	OnDuplicate  string   // ignore, update or error; empty: ignore when there is a key, else error
	Create       bool     // create a missing table, or add missing columns to a table that an earlier load created
	ChunkSize    int64    // size in bytes of the chunks that files are split into; 0: DefaultChunkSize

	// OnColumnsAdded is called with the names of columns that were added to the table; may
	// be nil.
	OnColumnsAdded func(names []string)
}

// DefaultChunkSize is the size in bytes of the chunks of files of lines.
const DefaultChunkSize = load.DefaultChunkSize

// LoadRecipe makes the recipe that loads JSON lines, for Run or Submit with the same
// paths. With Create it creates a missing table, and adds missing columns to a table
// that an earlier call created; it infers columns that the mapping does not name from
// the lines of all files. It checks that the table fits the mapping, so that errors show
// before any file is registered. When the table was emptied or replaced, the next Run
// loads all files again.
func (b *Baler) LoadRecipe(ctx context.Context, l LoadOptions, paths []string) (*recipe.Recipe, error) {
	files, err := b.linesOf(paths)
	if err != nil {
		return nil, err
	}
	if err := scan.Missing(ctx, files.Paths, b.objects); err != nil {
		return nil, err
	}
	args := load.Args{
		Into: l.Into, Map: l.Map, LineColumn: l.LineColumn, LineContains: l.LineContains, Key: l.Key,
		OnDuplicate: tableload.OnDuplicate(l.OnDuplicate), Create: l.Create,
	}
	plan, err := args.Resolve()
	if err != nil {
		return nil, err
	}
	r, err := args.Recipe(cmp.Or(l.ChunkSize, DefaultChunkSize))
	if err != nil {
		return nil, err
	}
	if err := plan.CheckFiles(ctx, files); err != nil {
		return nil, err
	}
	if plan.Create {
		if err := b.inferColumns(ctx, plan, files, l.OnColumnsAdded); err != nil {
			return nil, err
		}
	}
	if err := plan.CheckMembers(ctx, b.tables(), files); err != nil {
		return nil, err
	}
	loss, err := b.tables().ForgetLost(ctx, plan.Into)
	if err != nil {
		return nil, err
	}
	if err := plan.Prepare(ctx, b.tables()); err != nil {
		return nil, err
	}
	if forgotten := b.warnLost(ctx, plan.Into, loss); forgotten {
		sub := ingest.TransferRequest{Paths: paths, Recipe: r}
		sources, err := b.ingester.Sources(&sub)
		if err != nil {
			return nil, err
		}
		return r, b.cancelRun(ctx, ingest.RunKeyOf(&sub, sources))
	}
	if len(l.Map) == 0 {
		return r, b.loadLeftOut(ctx, plan, r)
	}
	return r, nil
}

// linesOf are the files that are to be loaded; addresses in object storage lose their parameters.
func (b *Baler) linesOf(paths []string) (*load.LineFiles, error) {
	files := &load.LineFiles{Paths: slices.Clone(paths), Objects: b.objects}
	for i, path := range paths {
		if !tasks.IsObject(path) {
			continue
		}
		var err error
		if files.Paths[i], err = b.objects.Add(path); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// loadLeftOut makes the next load of a recipe load files again that have members for
// which the table has got columns since. Only a load that updates rows can fill them; it
// says so for others.
func (b *Baler) loadLeftOut(ctx context.Context, p *load.Plan, r *recipe.Recipe) error {
	left, err := b.tables().LeftOut(ctx, p.Into)
	if err != nil {
		return err
	}
	var transfers []int64
	var members []string
	for _, l := range left {
		plan, err := b.transfers.Get(ctx, l.Transfer)
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
	if p.OnDuplicate != tableload.DuplicateUpdate {
		b.log.WarnContext(ctx, "the table has columns now for members that were left out, but they are empty in the rows loaded before: "+
			"to fill them, load with a key and on-duplicate update, or empty the table and load again", "table", p.Into, "members", members)
		return nil
	}
	b.log.WarnContext(ctx, "the table has columns now for members that were left out: loading their files again",
		"table", p.Into, "members", members)
	return b.tables().ForgetTransfers(ctx, transfers)
}

// forgetLost makes the next run load files again when a table that earlier runs loaded
// them into no longer has their rows.
func (b *Baler) forgetLost(ctx context.Context, runKey string) error {
	tables, err := b.tables().TablesOf(ctx, runKey)
	if err != nil {
		return err
	}
	for _, table := range tables {
		loss, err := b.tables().ForgetLost(ctx, table)
		if err != nil {
			return err
		}
		if !b.warnLost(ctx, table, loss) {
			continue
		}
		if err := b.cancelRun(ctx, runKey); err != nil {
			return err
		}
	}
	return nil
}

// warnLost says what a table has lost, and reports whether its files are loaded again.
func (b *Baler) warnLost(ctx context.Context, table string, loss tableload.Loss) (again bool) {
	switch loss {
	case tableload.Emptied:
		b.log.WarnContext(ctx, "the table was dropped or emptied: loading its files again", "table", table)
		return true
	case tableload.Replaced:
		b.log.WarnContext(ctx, "the table has none of the rows that were loaded into it before, only others: loading its files again",
			"table", table)
		return true
	case tableload.Changed:
		if _, said := b.saidChanged.LoadOrStore(table, true); said {
			return false
		}
		b.log.WarnContext(ctx, "the table has none of the rows that were loaded into it before: it was replaced, or they were changed; "+
			"to load its files again, empty the table, or load with a key", "table", table)
	case tableload.NoLoss:
	}
	return false
}

// cancelRun cancels the unfinished transfer of a run, so that the next run begins a new
// one. If it continued the old one, it would skip lines whose rows are gone.
func (b *Baler) cancelRun(ctx context.Context, runKey string) error {
	t, err := b.store.Latest(ctx, runKey)
	if errors.Is(err, tasks.ErrTransferNotFound) || err == nil && t.State.Ended() {
		return nil
	}
	if err == nil {
		_, err = b.store.Cancel(ctx, t.ID)
	}
	return err
}

// tables gives access to the tables that are loaded into.
func (b *Baler) tables() *tableload.Store { return tableload.New(b.store.DB()) }

// inferColumns completes the plan for a table that is to be created, or adds missing
// columns to an existing one.
func (b *Baler) inferColumns(ctx context.Context, plan *load.Plan, files *load.LineFiles, onAdded func(names []string)) error {
	added, err := plan.AddColumns(ctx, b.tables(), files)
	if errors.Is(err, tableload.ErrNoTable) {
		return plan.InferColumns(ctx, files)
	}
	if err == nil && len(added) > 0 && onAdded != nil {
		onAdded(added)
	}
	return err
}

// LoadCounts adds up the lines that a transfer's load steps have processed so far. It
// reads a row for every few megabytes loaded: call it at most twice a second.
func (b *Baler) LoadCounts(ctx context.Context, t tasks.Transfer) (tasks.LoadCounts, error) {
	return b.tables().LoadTotals(ctx, t.ID)
}

// UnmappedMembers lists the names, in order, of members of loaded lines that have no
// column and were left out; only some of the names if there are many. It is for loads
// without a mapping.
func (b *Baler) UnmappedMembers(ctx context.Context, t tasks.Transfer) ([]string, error) {
	return b.tables().UnmappedMembers(ctx, t.ID)
}

// MembersWithColumn returns those of the members that have a column of a table. Values
// that were left out before the column existed are not in it.
func (b *Baler) MembersWithColumn(ctx context.Context, table string, members []string) ([]string, error) {
	return b.tables().WithColumn(ctx, table, members)
}

// RejectedLines yields the lines that a transfer rejected, in the order of files and
// lines, in bounded memory. It ends with the first error.
func (b *Baler) RejectedLines(ctx context.Context, t tasks.Transfer) iter.Seq2[tasks.FileRejectedLine, error] {
	return keyset.Paginate(resultPage, func(after tasks.RejectKey) ([]tasks.FileRejectedLine, error) {
		return b.tables().RejectedLines(ctx, t.ID, after, resultPage)
	}, func(r *tasks.FileRejectedLine) tasks.RejectKey { return r.Key })
}
