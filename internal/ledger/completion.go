package ledger

import "github.com/balerhq/baler/tasks"

// BatchCompletion is what a worker has to say about a batch that it holds.
type BatchCompletion struct {
	Batch          *tasks.Batch
	Results        []tasks.Result // final ones
	FailedAttempts []tasks.Result // failed tries of files that will be tried again

	// Next closes the batch: it says what follows. Nil means that the batch
	// goes on. It is called inside the transaction, perhaps several times, with
	// the files whose results another batch had recorded first: those are not
	// this batch's to move on. It must be quick and pure.
	Next func(foreign tasks.Ranges) FollowUp

	// What came of it, filled in by Record.
	FollowUp  FollowUp // what Plan answered; the batches have their IDs
	Completed bool     // this recording completed the transfer
	Err       error    // ErrLeaseLost or ErrResultExists; nothing of it was written then
}

// FollowUp is what follows a batch.
type FollowUp struct {
	Batches  []tasks.Batch // next steps and later attempts
	Finished int64         // files that have passed their last step
}

// ExistingResult is what a later delivery of a batch needs to know of a result.
type ExistingResult struct {
	File    int64
	Batch   int64 // the batch that recorded it
	Outcome tasks.Outcome
	Facts   map[string]any
}
