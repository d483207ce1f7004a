package tasks

import (
	"errors"
	"fmt"
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
