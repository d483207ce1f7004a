package handlers

import (
	"context"
	"iter"
	"math"
	"os"
	"time"

	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/tasks"
)

// Finalizer works once for a whole transfer, after its last file has ended. When
// it returns nil, or a verdict of Warn or Skip, the final step is done; Fail ends
// it as failed; any other error or a panic is retried while attempts are left. It
// may run more than once, also for one end of the transfer, when its worker dies
// or freezes: so it should write with Create and CreateFolder, and pass ID on to
// other systems. When ctx ends it should return soon.
type Finalizer func(ctx context.Context, job *TransferJob) error

// TransferJob is a transfer as a finalizer sees it. It is for one goroutine.
type TransferJob struct {
	spec    TransferJobSpec
	created int // outputs written so far, which numbers their temporary names
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
	Now          time.Time
}

// NewTransferJob makes a transfer's job. It is for runners and tests.
func NewTransferJob(spec TransferJobSpec) *TransferJob { return &TransferJob{spec: spec} }

// ResultReader reads the files and results of a transfer page by page. Its errors
// end the iteration: whoever passes it retries outages.
type ResultReader interface {
	// FilesAfter lists up to limit files by number, those above after; only their
	// numbers and sizes when sizes is set.
	FilesAfter(ctx context.Context, transfer, after int64, limit int, sizes bool) ([]tasks.File, error)

	// Facts gives the facts that the steps before a step recorded of files.
	Facts(ctx context.Context, transfer int64, before int, files tasks.Ranges) (map[int64]map[string]any, error)

	// Results lists results behind a key, in the order of steps and files.
	Results(ctx context.Context, transfer int64, f tasks.ResultFilter, after tasks.ResultKey, limit int) ([]tasks.ResultRow, error)
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

// Args is the step's `with`, rendered for the transfer: any JSON value.
func (c *TransferJob) Args() any { return c.spec.Args }

// DecodeArgs puts the arguments into dst like Job.DecodeArgs.
func (c *TransferJob) DecodeArgs(dst any) error { return DecodeArgs(c.spec.Args, dst) }

// Open opens a file for reading, if it lies within the folders that may be read.
func (c *TransferJob) Open(path string) (*os.File, error) {
	f, err := c.spec.Roots.Open(path)
	if err != nil {
		return nil, openVerdict(err)
	}
	return f, nil
}

// FinalFile is a file of a transfer with all facts that its steps recorded.
type FinalFile struct {
	tasks.File

	Facts map[string]any // as encoding/json decodes them; nil when there are none
}

// Digest is the fact of that name when it is text, as checksum records it. A chunk
// of a file has none: it would be taken for that of the whole file.
func (f *FinalFile) Digest(algorithm string) (string, bool) {
	digest, ok := f.Facts[algorithm].(string)
	return digest, ok && digest != "" && f.Part == 0
}

// Files yields the files in the order of their numbers, in bounded memory. It
// ends with the first error.
func (c *TransferJob) Files(ctx context.Context) iter.Seq2[FinalFile, error] {
	return keyset.Paginate(readPage, func(after int64) ([]FinalFile, error) {
		return c.files(ctx, after)
	}, func(f *FinalFile) int64 { return f.No })
}

func (c *TransferJob) files(ctx context.Context, after int64) ([]FinalFile, error) {
	id := c.spec.Transfer.ID
	files, err := c.spec.Results.FilesAfter(ctx, id, after, readPage, false)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	numbers := make([]int64, len(files))
	for i := range files {
		numbers[i] = files[i].No
	}
	facts, err := c.spec.Results.Facts(ctx, id, math.MaxInt32, tasks.NewRanges(numbers))
	if err != nil {
		return nil, err
	}
	page := make([]FinalFile, len(files))
	for i, f := range files {
		page[i] = FinalFile{f, facts[f.No]}
	}
	return page, nil
}

// Results yields results in the order of steps and files, in bounded memory:
// all of them, or those with the outcomes named. It ends with the first error.
func (c *TransferJob) Results(ctx context.Context, outcomes ...tasks.Outcome) iter.Seq2[tasks.ResultLine, error] {
	return keyset.PaginateResults(&c.spec.Transfer, readPage, func(after tasks.ResultKey) ([]tasks.ResultRow, error) {
		return c.spec.Results.Results(ctx, c.spec.Transfer.ID, tasks.ResultFilter{Outcomes: outcomes}, after, readPage)
	})
}

// FinalizerVerdict reads the error of a finalizer: how its step ends, what there
// is to say, and whether another attempt may end differently. It is for runners
// and tests.
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
