package ledger

import (
	"errors"
	"time"

	"github.com/balerhq/baler/tasks"
)

// ErrCursorMoved says that a transfer's cursor was not where the caller believed.
// Nothing was written.
var ErrCursorMoved = errors.New("cursor has moved")

// Backlog is a transfer with files behind its cursor.
type Backlog struct {
	Transfer int64
	Via      tasks.Via
	Sealed   bool  // no more files will come
	Files    int64 // registered
	Cursor   int64 // number of the last file dealt with
	Bytes    int64 // of the files behind the cursor
	Open     int   // batches in the ledger
	Queue    string
	Weight   int
	Emitted  int64 // files that handlers have emitted and that are not among Files

	// SweepMark and MarkedAt are a group transfer's mark: how many files it had
	// when the mark was set. Zero before the first.
	SweepMark int64
	MarkedAt  time.Time
}

// Dispatch moves a transfer's cursor from From to To and writes the batches that
// stand for the files between.
type Dispatch struct {
	Transfer int64
	From, To int64
	Bytes    int64         // of the files between
	Batches  []tasks.Batch // their IDs are filled in when the cut is committed

	// Finished counts files between that no step selects: they end here.
	Finished int64

	// Uncounted says that the files were counted as routed before: the sweep of
	// a group transfer only replaces what was lost.
	Uncounted bool
}
