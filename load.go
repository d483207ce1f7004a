package baler

import (
	"cmp"
	"context"
	"iter"

	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/internal/loading"
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
	return b.loads.Recipe(ctx, loading.Load{
		Args: load.Args{
			Into: l.Into, Map: l.Map, LineColumn: l.LineColumn, LineContains: l.LineContains, Key: l.Key,
			OnDuplicate: tableload.OnDuplicate(l.OnDuplicate), Create: l.Create,
		},
		ChunkSize: cmp.Or(l.ChunkSize, DefaultChunkSize), Paths: paths, OnColumnsAdded: l.OnColumnsAdded,
	})
}

// tables gives access to the tables that are loaded into.
func (b *Baler) tables() *tableload.Store { return tableload.New(b.store.DB()) }

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
