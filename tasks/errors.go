package tasks

import "errors"

// ErrTransferNotFound means that no transfer has this ID and none ever had.
var ErrTransferNotFound = errors.New("no such transfer")
