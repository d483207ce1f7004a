package ledger

import "github.com/balerhq/baler/tasks"

// BatchCompletion is what a worker records about a batch that it holds. The worker may
// record it again after an error: no file gets a second result of a step, and the first one
// stays. A file without a recorded result may run again.
type BatchCompletion struct {
	Batch          *tasks.Batch
	Results        []tasks.Result // final ones
	FailedAttempts []tasks.Result // of files that are retried

	// Reusable says which of Results can be taken over later, by file. Failures and results
	// with emitted files never are.
	Reusable map[int64]Reusable

	// FollowUp closes the batch, and is what follows it. Nil: the batch stays open.
	FollowUp *FollowUp

	// RecordedElsewhere are the batch's files whose results another batch recorded
	// first: that one moves them on, and FollowUp leaves them out. A worker learns of
	// them by a RecordedElsewhereError.
	RecordedElsewhere tasks.Ranges
}

// CompletionResult is what became of a BatchCompletion.
type CompletionResult struct {
	Batches   []tasks.Batch // those of FollowUp, with their IDs
	Completed bool          // this completion ended the transfer

	// Err is ErrLeaseLost, ErrResultExists or a RecordedElsewhereError: nothing of the
	// completion was written.
	Err error
}

// FollowUp is what follows a batch.
type FollowUp struct {
	Batches  []tasks.Batch // next steps and later attempts
	Finished int64         // files that have passed their last step
}

// ExistingResult is what a worker that claims a batch again needs of a result.
type ExistingResult struct {
	File    int64
	Batch   int64 // the batch that recorded it
	Outcome tasks.Outcome
	Facts   map[string]any
}
