package handlers

import (
	"context"
	"iter"
	"log/slog"
	"math"
	"os"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/keyset"
	"github.com/balerhq/baler/tasks"
)

// Finalizer does work once for a whole transfer, after its last file has
// ended. When it returns nil, or a verdict of Warn or Skip, the final step is
// done; Fail ends it as failed; any other error or a panic is tried again while
// there are attempts. It may run more than once, also for one end of the
// transfer, when its worker dies or freezes: so it should write by Create and
// CreateFolder, and hand ID to others who act on it. When ctx ends it should
// return soon.
type Finalizer func(ctx context.Context, c *TransferJob) error

// TransferJob is a transfer as a finalizer sees it. It is for one goroutine.
type TransferJob struct {
	spec    transferSpec
	created int // places written so far, to name what is not in place yet
}

// transferSpec is what the Closer knows of a final step before it runs.
type transferSpec struct {
	transfer     tasks.Transfer
	lines        ResultReader
	args         any
	id           string
	attempt      int
	fencingToken int
	roots        *Roots
	outputs      OutputRoots
	now          time.Time
	log          *slog.Logger
}

// ResultReader is where a Closing reads files and results, page by page.
type ResultReader interface {
	// FilesAfter lists up to limit files by number, those above after; only their
	// numbers and sizes when sizes is set.
	FilesAfter(ctx context.Context, transfer, after int64, limit int, sizes bool) ([]tasks.File, error)

	// Facts gives what the steps before a step learnt of files.
	Facts(ctx context.Context, transfer int64, before int, files tasks.Ranges) (map[int64]map[string]any, error)

	// Results lists results behind a key, in the order of steps and files.
	Results(ctx context.Context, transfer int64, f tasks.ResultFilter, after tasks.ResultKey, limit int) ([]tasks.ResultRow, error)
}

// readPage is how many rows are held in memory at a time.
const readPage = 500

// Transfer is the transfer with its final counters.
func (c *TransferJob) Transfer() tasks.Transfer { return c.spec.transfer }

// ID is the same at every try of this step for this end of the transfer, and
// another one when the transfer was retried and has ended again.
func (c *TransferJob) ID() string { return c.spec.id }

// Attempt counts the tries, from 1.
func (c *TransferJob) Attempt() int { return c.spec.attempt }

// Args is the step's `with`, rendered for the transfer: any JSON value.
func (c *TransferJob) Args() any { return c.spec.args }

// DecodeArgs puts the arguments into dst like Job.DecodeArgs.
func (c *TransferJob) DecodeArgs(dst any) error { return decodeArgs(c.spec.args, dst) }

// Open opens a file for reading, if it lies within the folders that may be read.
func (c *TransferJob) Open(path string) (*os.File, error) {
	f, err := c.spec.roots.Open(path)
	if err != nil {
		return nil, openVerdict(err)
	}
	return f, nil
}

// FinalFile is a file of a transfer with all that its steps learnt of it.
type FinalFile struct {
	tasks.File

	Facts map[string]any // as encoding/json decodes them; nil when there are none
}

// Digest is the fact of that name when it is text, as checksum leaves it. A part
// of a file has none: it would pass for that of the whole file.
func (f *FinalFile) Digest(algorithm string) (string, bool) {
	digest, ok := f.Facts[algorithm].(string)
	return digest, ok && digest != "" && f.Part == 0
}

// Files yields the files in the order of their numbers, in bounded memory. It
// ends with the first error; a database that is away for a while is waited for.
func (c *TransferJob) Files(ctx context.Context) iter.Seq2[FinalFile, error] {
	return keyset.Paginate(readPage, func(after int64) (page []FinalFile, err error) {
		err = db.RetryOutage(ctx, c.spec.log, func() (err error) {
			page, err = c.files(ctx, after)
			return err
		})
		return page, err
	}, func(f *FinalFile) int64 { return f.No })
}

func (c *TransferJob) files(ctx context.Context, after int64) ([]FinalFile, error) {
	id := c.spec.transfer.ID
	files, err := c.spec.lines.FilesAfter(ctx, id, after, readPage, false)
	if err != nil || len(files) == 0 {
		return nil, err
	}
	numbers := make([]int64, len(files))
	for i := range files {
		numbers[i] = files[i].No
	}
	facts, err := c.spec.lines.Facts(ctx, id, math.MaxInt32, tasks.NewRanges(numbers))
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
	return keyset.PaginateResults(&c.spec.transfer, readPage, func(after tasks.ResultKey) (page []tasks.ResultRow, err error) {
		err = db.RetryOutage(ctx, c.spec.log, func() (err error) {
			page, err = c.spec.lines.Results(ctx, c.spec.transfer.ID, tasks.ResultFilter{Outcomes: outcomes}, after, readPage)
			return err
		})
		return page, err
	})
}
