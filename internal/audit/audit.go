// Package audit has the words of the audit log: who changed what, when, from where, and
// with what result. The store keeps it.
package audit

import (
	"os"
	"time"
)

// Entry is one line of the audit log. An entry is written before the change, and gets its
// result afterwards: a change whose process died stays Begun.
type Entry struct {
	ID     int64
	At     time.Time // by the database's clock
	Who    string    // "ada", "token nightly", "root@host"
	From   string    // the address of the client; "command line"
	Action string    // what was asked, in words
	Target string    // what it was asked of: a path, arguments
	Result Status
	Detail string // why it did not go well; empty otherwise
}

// Status is how a change ended.
type Status string

// The results.
const (
	Begun   Status = "begun"   // it runs, or its process has died
	Done    Status = "done"    // it went well
	Refused Status = "refused" // it was not allowed, or could not be done as asked
	Failed  Status = "failed"  // an error kept it from being done, or from being done wholly
)

// Baler is who does what no person has asked for just then.
const Baler = "Baler"

// StopTransfer is the action of a transfer that so many failures have stopped.
const StopTransfer = "stop a transfer"

// DeadlineTransfer is the action of a transfer whose deadline has passed.
const DeadlineTransfer = "end a transfer at its deadline"

// What people have decided about a step that waits for approval. These lines are written with
// the decision, and have the comment as their detail.
const (
	ApproveStep = "approved a step"
	RejectStep  = "rejected a step"
)

// CommandLine is where changes come from that are not made over HTTP.
const CommandLine = "command line"

// Host is where changes come from that a process makes by itself: the name of its host.
func Host() string {
	host, err := os.Hostname()
	if err != nil {
		return "this host"
	}
	return host
}
