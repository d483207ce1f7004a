package recorder

import (
	"fmt"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// RejectedError says that the database rejects some results of a completion. All its
// results are recorded, those of Files as errors; nothing else is, and the batch is still
// open. Plan what follows again, and record the completion without Results.
type RejectedError struct {
	Files   []int64
	Results []tasks.Result // as they are recorded
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("the database rejects the results of files %v", e.Files)
}

// rejected stands in for a result, without what the database rejected.
func rejected(r *tasks.Result, err error) tasks.Result {
	return tasks.Result{
		Step: r.Step, File: r.File, Outcome: tasks.OutcomeError, ExitCode: 1, Code: handlers.CodeDatabaseRejected,
		Error:     fmt.Sprintf("the job ended as %s, but the database rejected its result: %v", r.Outcome, err),
		Truncated: true, Attempt: r.Attempt, Worker: r.Worker, StartedAt: r.StartedAt, EndedAt: r.EndedAt,
	}
}

func isRejected(r *tasks.Result) bool { return r.Code == handlers.CodeDatabaseRejected }

// refusedError says that the database accepts no result of a file, whatever it holds.
type refusedError struct {
	transfer string
	step     int
	file     int64
	err      error
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("the database rejects any result of file %d at step %d of transfer %s; "+
		"look for a constraint or a trigger that Baler's migration does not make, and remove it: %v", e.file, e.step, e.transfer, e.err)
}

func (e *refusedError) Unwrap() error { return e.err }

// rejectedFiles lists the files whose results were replaced because the database
// rejected them.
func rejectedFiles(results []tasks.Result) []int64 {
	var files []int64
	for i := range results {
		if isRejected(&results[i]) {
			files = append(files, results[i].File)
		}
	}
	return files
}
