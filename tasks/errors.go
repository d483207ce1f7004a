package tasks

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrTransferNotFound means that no transfer has this ID and none ever had.
var ErrTransferNotFound = errors.New("no such transfer")

// DeletedError means that a transfer had this ID and was deleted.
type DeletedError struct {
	UUID string
	Name string
	At   time.Time
}

func (e *DeletedError) Error() string {
	return fmt.Sprintf("transfer %s was deleted at %s", e.UUID, e.At.UTC().Format(time.RFC3339))
}

// AmbiguousError means that several transfers fit what a person has called one.
type AmbiguousError struct {
	Ref        string
	Candidates []Transfer // the newest that fit
	More       bool       // older ones fit too
}

func (e *AmbiguousError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q fits several transfers; give the number of one, or more of its id:", e.Ref)
	for _, t := range e.Candidates {
		fmt.Fprintf(&b, "\n%d  %s  %s  %s  %q", t.ID, t.UUID, t.CreatedAt.UTC().Format("2006-01-02T15:04:05Z"), t.State, t.Name)
	}
	if e.More {
		b.WriteString("\n… and older ones")
	}
	return b.String()
}

// UnattendedError means that no live worker can run what is left of a transfer.
type UnattendedError struct {
	Transfer string        // its UUID
	Waiting  string        // for what
	Time     time.Duration // how long no live worker has had the handler
}

func (e *UnattendedError) Error() string {
	return fmt.Sprintf("transfer %s waits for %s. Nobody came for %s: start such a worker, and run the same command again to continue",
		e.Transfer, e.Waiting, e.Time)
}
