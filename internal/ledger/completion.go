package ledger

import "github.com/balerhq/baler/tasks"

// BatchCompletion is what a worker records about a batch that it holds. Whatever
// the worker does after an error, no file gets a second result of a step: the first
// stays. A file without a recorded result may run again.
type BatchCompletion struct {
	Batch          *tasks.Batch
	Results        []tasks.Result // final ones
	FailedAttempts []tasks.Result // of files that are retried

	// Next closes the batch and returns what follows it. Nil: the batch stays open.
	Next PlanFollowUp
}

// PlanFollowUp returns what follows a batch. Record calls it inside the transaction
// that closes the batch, and again for each retry of that transaction, after a
// deadlock, an outage or a duplicate key; only what the last call returns counts. So
// it must be quick and pure. recordedElsewhere are the batch's files whose results another
// batch recorded first, which is known only then: this batch must not move them on.
type PlanFollowUp func(recordedElsewhere tasks.Ranges) FollowUp

// CompletionResult is what became of a BatchCompletion.
type CompletionResult struct {
	FollowUp  FollowUp // what Next returned; the batches have their IDs
	Completed bool     // this completion ended the transfer
	Err       error    // ErrLeaseLost or ErrResultExists: nothing of it was written
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
