package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/tasks"
)

// The codes of load, besides those that all handlers share.
const (
	CodeLinesRejected = "lines-rejected" // some lines were rejected; the others are loaded
	CodeChanged       = "changed"        // the content has changed since it was split, or loaded in part
	CodeCorrupt       = "corrupt"        // the compressed content ends early or is invalid
	CodeBadFormat     = "bad-format"     // the content has a compression or an encoding that load does not read
	CodeBadTable      = "bad-table"      // the table does not exist, or does not fit the mapping
)

// Name is the name that Register gives the handler.
const Name = "load"

// Register adds the handler load to a registry; see New.
func Register(reg *handlers.Registry, tables *tableload.Store, observe func(tasks.LoadCounts)) error {
	return reg.Register(Name, New(tables, observe), docs(),
		handlers.WithDescription("loads JSON lines into a table of the database"),
		handlers.WithBatch(tasks.BatchPolicy{MaxItems: 64, MaxBytes: 8 << 20}),
		handlers.WithFacts("part", "first_line", "bytes", "lines", "loaded", "skipped", "duplicates", "bad"),
		handlers.WithArgsCheck(handlers.CheckWith(readPlan)))
}

// New makes a handler that loads JSON lines into a table of the database. Its arguments
// are Args. Facts: part and first_line of a chunk; bytes, lines, loaded, skipped,
// duplicates, bad and unchanged, the counts of its lines; and unmapped, the number of
// values without a column. Several goroutines call observe with the counts of every group
// of lines that was loaded; it may be nil.
func New(tables *tableload.Store, observe func(tasks.LoadCounts)) handlers.Handler {
	var memory MemoryBudget
	return handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
		loaders := batchLoaders{
			tables: tables, observe: observe, memory: &memory, stall: handlers.DefaultStallLimit, byArgs: make(map[string]*Loader),
		}
		return handlers.PerFile(loaders.load, handlers.StallLimit(loaders.stall)).Handle(ctx, jobs)
	})
}

func readPlan(args any) (*Plan, error) {
	var a Args
	if err := handlers.DecodeArgs(args, &a); err != nil {
		return nil, err
	}
	p, err := a.Resolve()
	if err != nil {
		return nil, handlers.Fail(handlers.CodeBadArgs, err)
	}
	return p, nil
}

// batchLoaders loads the files of one batch, with one loader for all steps with the
// same arguments. The next batch gets new loaders, because tables may change.
type batchLoaders struct {
	tables  *tableload.Store
	observe func(tasks.LoadCounts)
	memory  *MemoryBudget
	stall   time.Duration // how long a read may take

	mu     sync.Mutex
	byArgs map[string]*Loader
}

func (b *batchLoaders) load(ctx context.Context, job *handlers.Job) error {
	loader, err := b.loaderFor(ctx, job)
	if err != nil {
		return err
	}
	chunk, err := job.OpenChunk()
	if err != nil {
		return err
	}
	defer chunk.Close() // only read from
	file := job.File()
	replaced, err := chunk.Replaced(&file)
	switch {
	case err != nil:
		return handlers.RetryLater(handlers.CodeIO, err)
	case replaced:
		return handlers.Fail(CodeChanged, errors.New("the object has been replaced since it was split; load it again"))
	}
	whole, err := chunk.WholeLines()
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	if !whole {
		return handlers.Fail(CodeChanged, errors.New("the file has changed since it was split: lines begin at other offsets; load it again"))
	}
	return b.read(ctx, job, loader, chunk)
}

// read loads the content of a job. The stall limit applies only to reads: read waits for a
// database that does not answer.
func (b *batchLoaders) read(ctx context.Context, job *handlers.Job, loader *Loader, content io.ReadSeeker) error {
	watched := &watchedReads{ReadSeeker: content}
	defer watched.progress(ctx, b.stall, job.Progress)()
	counts, err := File(ctx, loader, b.source(job), watched)
	if factErr := setCounts(job, &counts); factErr != nil {
		return factErr
	}
	return fileVerdict(&counts, err)
}

func (b *batchLoaders) loaderFor(ctx context.Context, job *handlers.Job) (*Loader, error) {
	key, err := json.Marshal(job.Args())
	if err != nil {
		return nil, handlers.Fail(handlers.CodeBadArgs, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if loader := b.byArgs[string(key)]; loader != nil {
		return loader, nil
	}
	p, err := readPlan(job.Args())
	if err != nil {
		return nil, err
	}
	loader, err := NewLoader(ctx, b.tables, p, b.memory)
	switch {
	case errors.Is(err, tableload.ErrTable), errors.Is(err, tableload.ErrNoTable), errors.Is(err, ErrPlan):
		return nil, handlers.Fail(CodeBadTable, err)
	case err != nil:
		return nil, err
	}
	b.byArgs[string(key)] = loader
	return loader, nil
}

// source describes the content of a job to a loader.
func (b *batchLoaders) source(job *handlers.Job) Input {
	file := job.File()
	size := file.Size // of a chunk; the size of compressed content is unknown
	if file.Part == 0 {
		size = 0
	}
	return Input{
		Transfer: job.Transfer(), Step: job.Step(), File: file.No, Line: file.Line,
		Path: file.Path, Offset: file.Offset, Size: size,
		Abreast: max(2, min(4, runtime.GOMAXPROCS(0))), Observe: b.observe,
	}
}

func setCounts(job *handlers.Job, c *tasks.LoadCounts) error {
	var errs []error
	if f := job.File(); f.Part > 0 {
		errs = append(errs, job.SetFact("part", f.Part), job.SetFact("first_line", f.Line))
	}
	return errors.Join(append(errs,
		job.SetFact("bytes", c.Bytes), job.SetFact("lines", c.Lines), job.SetFact("loaded", c.Loaded),
		job.SetFact("skipped", c.Skipped), job.SetFact("duplicates", c.Duplicates), job.SetFact("bad", c.Bad),
		job.SetFact("unchanged", c.Unchanged), job.SetFact("unmapped", c.Unmapped))...)
}

func fileVerdict(c *tasks.LoadCounts, err error) error {
	switch {
	case errors.Is(err, ErrCompressed):
		return handlers.Fail(CodeCorrupt, fmt.Errorf("%w; lines loaded from before the damage: %d", err, c.Loaded))
	case errors.Is(err, ErrFormat):
		return handlers.Fail(CodeBadFormat, err)
	case errors.Is(err, ErrChanged):
		return handlers.Fail(CodeChanged, err)
	case err != nil:
		return err
	case c.Bad > 0:
		return handlers.Warn(CodeLinesRejected, fmt.Sprintf("%d of %s rejected", c.Bad, english.Plural(int(c.Lines), "line", "")))
	}
	return nil
}
