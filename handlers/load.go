package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/balerhq/baler/handlers/load"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/tasks"
)

// What load says of files, beside what every handler does.
const (
	CodeLinesRejected = "lines-set-aside" // some lines were no rows; the others are in
	CodeChanged       = "changed"         // the content is not what was split, or loaded in part
	CodeCorrupt       = "damaged"         // the compressed content ends early or makes no sense
	CodeTableError    = "table"           // the table is not there, or does not suit
)

var errNoDatabase = errors.New("load needs the database of a worker")

// newLoad loads JSON lines into a table. Its arguments are load.Args. Facts:
// part and first_line of a part, and bytes, lines, loaded, skipped, duplicates
// and bad, which are what became of the lines.
func newLoad() Handler {
	var memory load.MemoryBudget
	return HandlerFunc(func(ctx context.Context, jobs []*Job) error {
		l := loaders{memory: &memory, byArgs: make(map[string]*load.Loader)}
		return PerFile(l.file).Handle(ctx, jobs)
	})
}

func loadPlan(args any) (*load.Plan, error) {
	var a load.Args
	if err := decodeArgs(args, &a); err != nil {
		return nil, err
	}
	p, err := a.Resolve()
	if err != nil {
		return nil, Fail(CodeBadArgs, err)
	}
	return p, nil
}

// loaders are those of one batch: tables may change from one to the next.
type loaders struct {
	memory *load.MemoryBudget

	mu     sync.Mutex
	byArgs map[string]*load.Loader
}

func (l *loaders) of(ctx context.Context, job *Job) (*load.Loader, error) {
	if job.spec.tables == nil {
		return nil, errNoDatabase
	}
	key, err := json.Marshal(job.Args())
	if err != nil {
		return nil, Fail(CodeBadArgs, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if loader := l.byArgs[string(key)]; loader != nil {
		return loader, nil
	}
	p, err := loadPlan(job.Args())
	if err != nil {
		return nil, err
	}
	loader, err := load.New(ctx, job.spec.tables, p, l.memory)
	switch {
	case errors.Is(err, tableload.ErrTable), errors.Is(err, tableload.ErrNoTable), errors.Is(err, load.ErrPlan):
		return nil, Fail(CodeTableError, err)
	case err != nil:
		return nil, err
	}
	l.byArgs[string(key)] = loader
	return loader, nil
}

func (l *loaders) file(ctx context.Context, job *Job) error {
	loader, err := l.of(ctx, job)
	if err != nil {
		return err
	}
	part, err := job.OpenChunk()
	if err != nil {
		return err
	}
	defer part.Close() // only read from
	whole, err := part.WholeLines()
	if err != nil {
		return RetryLater(CodeIO, err)
	}
	if !whole {
		return Fail(CodeChanged, errors.New("the file has changed since it was split: lines begin at other places; load it again"))
	}
	counts, err := load.File(ctx, loader, job.source(), part)
	if factErr := job.setCounts(&counts); factErr != nil {
		return factErr
	}
	return loadVerdict(&counts, err)
}

// source names the job's content to a loader.
func (j *Job) source() load.Chunk {
	return load.Chunk{
		Transfer: j.spec.transfer, Step: j.spec.step, File: j.spec.file.No, Line: j.spec.file.Line,
		Abreast: max(2, min(4, runtime.GOMAXPROCS(0))), Observe: j.spec.metrics.loaded,
	}
}

func (j *Job) setCounts(c *tasks.LoadCounts) error {
	var errs []error
	if f := &j.spec.file; f.Part > 0 {
		errs = append(errs, j.SetFact("part", f.Part), j.SetFact("first_line", f.Line))
	}
	return errors.Join(append(errs,
		j.SetFact("bytes", c.Bytes), j.SetFact("lines", c.Lines), j.SetFact("loaded", c.Loaded),
		j.SetFact("skipped", c.Skipped), j.SetFact("duplicates", c.Duplicates), j.SetFact("bad", c.Bad))...)
}

func loadVerdict(c *tasks.LoadCounts, err error) error {
	switch {
	case errors.Is(err, load.ErrCompressed):
		return Fail(CodeCorrupt, fmt.Errorf("%w; %d lines before are in", err, c.Loaded))
	case errors.Is(err, load.ErrChanged):
		return Fail(CodeChanged, err)
	case err != nil:
		return err
	case c.Bad > 0:
		return Warn(CodeLinesRejected, fmt.Sprintf("%d of %d lines were set aside", c.Bad, c.Lines))
	}
	return nil
}
