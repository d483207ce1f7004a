package api

import (
	"context"
	"io"
	"iter"

	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// Transfers reads transfers.
type Transfers interface {
	// Transfer returns the transfer with its steps; an error that wraps
	// tasks.ErrTransferNotFound when there is no such transfer, and a
	// *tasks.DeletedError when it was deleted.
	Transfer(ctx context.Context, uuid string) (tasks.Transfer, error)

	// Transfers returns up to limit transfers with their steps, newest first,
	// from those whose number is below before; before 0 starts at the newest.
	Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error)
}

// Submitter makes transfers and adds files to them.
type Submitter interface {
	// Submit makes a transfer. With paths it returns before their files are registered;
	// the server continues that until they are, also after it was restarted. Without paths
	// the transfer stays open. created is false when the idempotency key was used before
	// for the same request. An error that a client can correct is a *RequestError.
	Submit(ctx context.Context, s SubmissionRequest) (t tasks.Transfer, created bool, err error)

	// AddFiles adds files to an open transfer in their order, until the sequence ends or
	// yields an error. It returns how many it added; with an error of the sequence too,
	// which it then returns.
	AddFiles(ctx context.Context, t tasks.Transfer, files iter.Seq2[ListedFile, error], o AddOptions) (int64, error)

	// Seal says that a transfer gets no more files. Sealing twice is fine.
	// list is the mark of the list that its files were, as the client says; it may be zero.
	Seal(ctx context.Context, t tasks.Transfer, list tasks.ListMark) error

	// Recipe returns a recipe of the server by its name, as YAML; false when there is none.
	Recipe(name string) (yaml string, known bool)

	// Recipes lists the names of the recipes that the server knows, sorted.
	Recipes() []string
}

// Results reads the results of transfers.
type Results interface {
	// Results returns up to limit results behind a key, by step and file.
	Results(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector, after tasks.ResultKey, limit int) ([]tasks.ResultRow, error)

	// Failures counts failures by step, outcome, code and message, the most frequent first.
	Failures(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector, limit int) ([]tasks.FailureGroup, error)

	// FilesAfter returns up to limit files behind a number.
	FilesAfter(ctx context.Context, t tasks.Transfer, after int64, limit int) ([]tasks.File, error)

	// Export writes all files and results of a transfer as they are at this moment.
	Export(ctx context.Context, t tasks.Transfer, f export.Format, w io.Writer) (ExportTotals, error)

	// LiveWork reads what happens in a transfer just now. It reads few rows.
	LiveWork(ctx context.Context, t tasks.Transfer) (tasks.LiveWork, error)

	// FindTransfer finds a transfer by what people call it. The error is a *tasks.DeletedError
	// when it was deleted, and a *RequestError when none or several fit.
	FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error)
}

// ExportTotals says what an export has written.
type ExportTotals struct {
	Files, Results int64
	State          tasks.State // of the transfer at that moment
}

// Control steers transfers. The booleans are false when nothing changed, because
// the transfer was in that state already or has ended.
type Control interface {
	Cancel(ctx context.Context, t tasks.Transfer) (bool, error)
	Pause(ctx context.Context, t tasks.Transfer) (bool, error)
	Resume(ctx context.Context, t tasks.Transfer) (bool, error)

	// Decide approves or rejects a step that waits for a person, as the person of the context,
	// and returns its name.
	Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (string, error)

	Update(ctx context.Context, t tasks.Transfer, c tasks.TransferChange) (bool, error)

	// Retry runs the files of the selected results again, and returns their number.
	Retry(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector) (int64, error)

	// CancelFiles cancels the selected files that have not ended, and returns how many were
	// not canceled before. The error is a *RequestError when the filter selects all files.
	CancelFiles(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector) (int64, error)

	// RetryFinalizers runs the failed final steps again, and returns their number.
	RetryFinalizers(ctx context.Context, t tasks.Transfer) (int64, error)
}

// Fleet reads and steers workers, queues and limits.
type Fleet interface {
	Workers(ctx context.Context) ([]tasks.Worker, error)
	SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error
	SetWorkerLogLevel(ctx context.Context, name, level string) error
	Queues(ctx context.Context) ([]queue.Stats, error)
	PauseQueue(ctx context.Context, name string, pause bool) error
	Limiter
}

// Limiter reads and sets the limits of all workers together.
type Limiter interface {
	Limits(ctx context.Context) ([]tasks.Limit, error)

	// SetLimit sets the bounds that are not nil; 0 removes one.
	SetLimit(ctx context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (tasks.Limit, error)
}

// SubmissionRequest is a request for a transfer.
type SubmissionRequest struct {
	Paths          []string // empty: files come by AddFiles
	Selection      tasks.Selection
	Recipe         string // a name that the server knows, or YAML
	Inline         bool   // Recipe is YAML
	Name           string
	Queue          string
	Weight         int
	StopAfter      string
	Deadline       string
	Via            tasks.Via
	MissingOK      bool // paths that do not exist get failed results
	Webhooks       []string
	NoReuse        bool // the handlers run for every file, also where the recipe says reuse
	IdempotencyKey string
}

// AddOptions say how files are added.
type AddOptions struct {
	At        int64         // how many files the transfer must have before the first; negative: any number
	NoFolders bool          // a folder is an error; otherwise it stands for the files below it
	OnSkipped func(Skipped) // learns of symlinks and special files, which are not added
}

// Skipped is a listed name that is no file.
type Skipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason" enum:"symlink,special"`
	Detail string `json:"detail" doc:"Where the symlink leads, or the kind of the special file."`
}

// ListedFile is a file that a client names.
type ListedFile struct {
	tasks.File

	Stat bool // the server reads size and time from the file system
}
