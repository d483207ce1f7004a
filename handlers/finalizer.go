package handlers

import (
	"context"
	"errors"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/tasks"
)

// Finalizer works once for a whole transfer, after its last file has ended. When it
// returns nil, or a verdict of Warn or Skip, the final step is done. Fail ends it as
// failed. Any other error or a panic is retried while attempts are left. When its
// worker dies or freezes, it may run more than once for one end of the transfer: it
// should write with Create and CreateFolder, and pass ID on to other systems. When ctx
// ends it should return soon.
type Finalizer func(ctx context.Context, job *TransferJob) error

// TransferJob is a transfer as a finalizer sees it. It is for one goroutine.
type TransferJob struct {
	spec    TransferJobSpec
	earlier tasks.Transfer // of the collection, the one that was read last
	created int            // outputs written so far, which numbers their temporary names

	progress    atomic.Pointer[tasks.Progress] // read by another goroutine
	ownProgress bool                           // the finalizer reports it itself
	counted     int64                          // files that Files yields; 0: not counted yet
}

// TransferJobSpec is what a runner knows of a final step before it runs.
type TransferJobSpec struct {
	Transfer     tasks.Transfer
	Results      ResultReader
	Args         any    // the step's arguments, rendered for the transfer
	ID           string // see TransferJob.ID
	Attempt      int    // from 1
	FencingToken int    // rises with every claim of the step
	Roots        *Roots
	Outputs      OutputRoots
	Written      WrittenOutputs // nil: nothing has been written before
	Now          time.Time
	Version      string // see TransferJob.Version
}

// NewTransferJob makes a transfer's job. It is for runners and tests.
func NewTransferJob(spec TransferJobSpec) *TransferJob { return &TransferJob{spec: spec} }

// ResultReader reads the files and results of a transfer's collection page by page. Its
// errors end the iteration: the implementation retries outages.
type ResultReader interface {
	// Files lists up to limit files after a key.
	Files(ctx context.Context, after tasks.FileKey, limit int) ([]tasks.CollectedFile, error)

	// Facts gives the facts that the steps before a step recorded of files of a transfer.
	Facts(ctx context.Context, transfer int64, before int, files tasks.Ranges) (map[int64]map[string]any, error)

	// Results lists results with these outcomes, or all, after a key.
	Results(ctx context.Context, outcomes []tasks.Outcome, after tasks.CollectedKey, limit int) ([]tasks.CollectedResult, error)

	// Totals counts the files, and adds up their sizes.
	Totals(ctx context.Context) (files, bytes int64, err error)

	// Transfer reads a transfer with its steps.
	Transfer(ctx context.Context, id int64) (tasks.Transfer, error)
}

// readPage is how many rows are held in memory at a time.
const readPage = 500

// Transfer is the transfer with its final counters.
func (c *TransferJob) Transfer() tasks.Transfer { return c.spec.Transfer }

// ID is the same at every attempt of this step for this end of the transfer, and
// another one when the transfer was retried and has ended again.
func (c *TransferJob) ID() string { return c.spec.ID }

// Attempt counts the attempts, from 1.
func (c *TransferJob) Attempt() int { return c.spec.Attempt }

// Now is when this attempt began.
func (c *TransferJob) Now() time.Time { return c.spec.Now }

// Version is that of the program that runs the step, for outputs that say what made them.
func (c *TransferJob) Version() string { return c.spec.Version }

// Args is the step's `with`, rendered for the transfer: any JSON value.
func (c *TransferJob) Args() any { return c.spec.Args }

// DecodeArgs puts the arguments into dst like Job.DecodeArgs.
func (c *TransferJob) DecodeArgs(dst any) error { return DecodeArgs(c.spec.Args, dst) }

// Open opens a file for reading, if it lies within the folders that may be read, or within
// those that may be written, where emitted files are.
func (c *TransferJob) Open(path string) (ReadableFile, error) {
	f, err := c.spec.Roots.Open(path)
	if errors.Is(err, ErrOutsideRoots) {
		if written, other := c.spec.Outputs.openWritten(path); !errors.Is(other, ErrOutsideRoots) {
			f, err = written, other
		}
	}
	if err != nil {
		return nil, openVerdict(err)
	}
	return f, nil
}

// OpenFolder opens a folder for reading, by the rules of Open.
func (c *TransferJob) OpenFolder(path string) (*os.File, error) {
	f, err := c.spec.Roots.OpenFolder(path)
	if err != nil {
		return nil, openVerdict(err)
	}
	return f, nil
}

// FinalFile is a file with all facts that the steps of its transfer recorded.
type FinalFile struct {
	tasks.File

	Transfer string         // ID of the transfer in which the file has this number
	Facts    map[string]any // as encoding/json decodes them; nil when there are none
}

// Digest is the fact of that name when it is text, as checksum records it. A chunk
// of a file has none: it would be taken for that of the whole file.
func (f *FinalFile) Digest(algorithm string) (string, bool) {
	digest, ok := f.Facts[algorithm].(string)
	return digest, ok && digest != "" && f.Part == 0
}

// Totals counts the files that Files yields, and adds up their sizes.
func (c *TransferJob) Totals(ctx context.Context) (files, bytes int64, err error) {
	return c.spec.Results.Totals(ctx)
}

// Files yields the files of the transfer. If a run began the transfer, it yields the
// files of all runs of the same sources and steps, each as it was registered last,
// without those that are gone. It yields them in the order in which they were
// registered, in bounded memory, and ends with the first error.
func (c *TransferJob) Files(ctx context.Context) iter.Seq2[FinalFile, error] {
	return func(yield func(FinalFile, error) bool) {
		pages := keyset.Paginate(readPage, func(after tasks.FileKey) ([]finalPageFile, error) {
			return c.files(ctx, after)
		}, func(f *finalPageFile) tasks.FileKey { return f.key })
		n := int64(0)
		for f, err := range pages {
			if !yield(f.FinalFile, err) {
				return
			}
			n++
			c.passed(ctx, n, "files")
		}
	}
}

type finalPageFile struct {
	FinalFile

	key tasks.FileKey
}

func (c *TransferJob) files(ctx context.Context, after tasks.FileKey) (page []finalPageFile, err error) {
	files, err := c.spec.Results.Files(ctx, after, readPage)
	if err != nil {
		return nil, err
	}
	for len(files) > 0 { // the files of one transfer at a time
		of := files[0].Transfer
		var numbers []int64
		for _, f := range files {
			if f.Transfer != of {
				break
			}
			numbers = append(numbers, f.No)
		}
		t, err := c.transfer(ctx, of)
		if err != nil {
			return nil, err
		}
		facts, err := c.spec.Results.Facts(ctx, of, len(t.Steps)+1, tasks.NewRanges(numbers))
		if err != nil {
			return nil, err
		}
		for _, f := range files[:len(numbers)] {
			page = append(page, finalPageFile{FinalFile{File: f.File, Transfer: t.UUID, Facts: facts[f.No]}, f.Key()})
		}
		files = files[len(numbers):]
	}
	return page, nil
}

// transfer is a transfer of the collection. It keeps the one that was asked for last.
func (c *TransferJob) transfer(ctx context.Context, id int64) (tasks.Transfer, error) {
	if id == c.spec.Transfer.ID {
		return c.spec.Transfer, nil
	}
	if c.earlier.ID != id {
		t, err := c.spec.Results.Transfer(ctx, id)
		if err != nil {
			return t, err
		}
		c.earlier = t
	}
	return c.earlier, nil
}

// Results yields results of the files that Files yields, in the order of transfers,
// steps and files, in bounded memory: all of them, or those with the outcomes named. It
// ends with the first error.
func (c *TransferJob) Results(ctx context.Context, outcomes ...tasks.Outcome) iter.Seq2[tasks.ResultLine, error] {
	return func(yield func(tasks.ResultLine, error) bool) {
		pages := keyset.Paginate(readPage, func(after tasks.CollectedKey) ([]tasks.CollectedResult, error) {
			return c.spec.Results.Results(ctx, outcomes, after, readPage)
		}, (*tasks.CollectedResult).Key)
		n := int64(0)
		for r, err := range pages {
			line := tasks.ResultLine{}
			if err == nil {
				line, err = c.line(ctx, &r)
			}
			if !yield(line, err) || err != nil {
				return
			}
			n++
			c.passed(ctx, n, "results")
		}
	}
}

func (c *TransferJob) line(ctx context.Context, r *tasks.CollectedResult) (tasks.ResultLine, error) {
	t, err := c.transfer(ctx, r.Transfer)
	if err != nil {
		return tasks.ResultLine{}, err
	}
	step := ""
	for i := range t.Steps {
		if t.Steps[i].Number == r.Step {
			step = t.Steps[i].Name
		}
	}
	line := r.Line(step)
	line.Transfer = t.UUID
	return line, nil
}

// FinalizerVerdict reads the error of a finalizer: how its step ends, the reason, and
// whether another attempt may end differently. It is for runners and tests.
func FinalizerVerdict(err error) (state tasks.FinalizeState, reason string, retriable bool) {
	if err == nil {
		return tasks.FinalizeDone, "", false
	}
	v, reason := verdictOf(err)
	if code := v.code; code != "" && code != CodeError && code != CodePanic {
		reason = code + ": " + reason
	}
	if !v.outcome.StopsRecipe() {
		return tasks.FinalizeDone, reason, false
	}
	return tasks.FinalizeFailed, reason, v.outcome.Retriable()
}
