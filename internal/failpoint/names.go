package failpoint

// Name names a point at which a test can kill or stop a process.
type Name string

// The points, in the order in which a file passes them. Each is in the code once.
const (
	FilesInserted        Name = "files-inserted"         // a producer has committed rows of files that it has not counted
	FilesRegistered      Name = "files-registered"       // a producer has counted rows of files, and sent nothing
	TaskEnqueued         Name = "task-enqueued"          // a producer has put one file of several into its group
	Sealed               Name = "sealed"                 // a producer has sealed its transfer, and not yet reported that
	SetTaken             Name = "set-taken"              // a set of groups has been taken for the aggregator, which has done nothing
	LedgerWritten        Name = "ledger-written"         // new batches are committed, and none is in the queue
	BatchEnqueued        Name = "batch-enqueued"         // one batch of several is in the queue
	SetReturned          Name = "set-returned"           // a set is in the ledger, and not deleted from the queue
	BatchDequeued        Name = "batch-dequeued"         // a worker has a batch's message; whatever it had before is acknowledged
	HandlerHalfway       Name = "handler-halfway"        // one job of a batch has ended, and nothing of it is recorded
	RowsInserted         Name = "rows-inserted"          // rows of a section of lines are inserted, and not committed
	SectionLoaded        Name = "section-loaded"         // a section of lines is committed, and not yet reported
	CopyVerified         Name = "copy-verified"          // a file that is moved has arrived, and its source is still there
	SomeResultsCommitted Name = "some-results-committed" // results of a batch that still runs are committed
	BatchClosed          Name = "batch-closed"           // a batch's end is committed, and what follows is not in the queue
	NextStepEnqueued     Name = "next-step-enqueued"     // what follows is in the queue, and the batch is not acknowledged
	EmittedRegistered    Name = "emitted-registered"     // files that handlers emitted are registered, and have no batch in the queue
	FinalStepRan         Name = "final-step-ran"         // a final step has done its work, and the result is not recorded
	WatchBegun           Name = "watch-begun"            // an entry of a watched folder is noted, and has no transfer
	WatchSubmitted       Name = "watch-submitted"        // an entry has a transfer, which is not noted
	WatchMoving          Name = "watch-moving"           // where an entry is moved is noted, and it is not moved
	WatchMoved           Name = "watch-moved"            // an entry is moved, which is not noted
	JournalWritten       Name = "journal-written"        // a transfer is in the journal, which the database does not know
	Completed            Name = "completed"              // a transfer has completed; the process has not yet reported that
)

// Names lists all points.
func Names() []Name {
	return []Name{
		FilesInserted, FilesRegistered, TaskEnqueued, Sealed, SetTaken, LedgerWritten, BatchEnqueued, SetReturned, BatchDequeued,
		HandlerHalfway, RowsInserted, SectionLoaded, CopyVerified, SomeResultsCommitted, BatchClosed, NextStepEnqueued,
		EmittedRegistered, FinalStepRan, WatchBegun, WatchSubmitted, WatchMoving, WatchMoved,
		JournalWritten, Completed,
	}
}
