package handlers

// The codes that this package and the runner give results by themselves.
const (
	CodeError          = "error"             // an error without a code of its own
	CodePanic          = "panic"             // the handler panicked
	CodeTimeout        = "timeout"           // the step's time ran out
	CodeStalled        = "stalled"           // nothing of the file could be read for minutes, see StallLimit
	CodeBadArgs        = "bad-args"          // the handler rejects the step's arguments
	CodeInvalidOutcome = "invalid-outcome"   // SetStatus was given something outside the enumeration
	CodeIO             = "io"                // reading or writing failed
	CodeNotFound       = "not-found"         // there is no such file
	CodeNotPermitted   = "permission-denied" // the worker may not read it
	CodeOutsideRoots   = "outside-roots"     // it is not within the folders that may be read
	CodeNotWholeFile   = "not-whole-file"    // it was split, and the handler takes whole files only
	CodeNotAFile       = "not-a-file"        // a folder, device, socket or pipe

	CodeDigestMismatch = "digest-mismatch" // the content has another digest than was recorded or listed

	CodeChangedWhileReading = "changed-while-reading" // the file changed while a handler read it

	CodeBadCondition     = "bad-condition"     // the step's condition cannot be evaluated for this file
	CodeBadTemplate      = "bad-template"      // the step's arguments cannot be rendered for this file
	CodeCanceled         = "canceled"          // the transfer was canceled
	CodeDeadlineExceeded = "deadline-exceeded" // the transfer was canceled because its deadline had passed
	CodeWorkerCrashed    = "worker-crashed"    // its workers crashed until the last attempt was used up
	CodeDatabaseRejected = "database-rejected" // the database rejected the result; this one stands in for it
)
