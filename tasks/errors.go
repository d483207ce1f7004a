package tasks

import "errors"

// ErrNoTransfer says that a transfer's id was never given out.
var ErrNoTransfer = errors.New("no such transfer")
