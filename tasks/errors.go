package tasks

import "errors"

// ErrTransferNotFound says that a transfer's id was never given out.
var ErrTransferNotFound = errors.New("no such transfer")
