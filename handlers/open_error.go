package handlers

import (
	"errors"
	"io/fs"
	"syscall"
)

// openVerdict is the verdict of an error of opening a file. Errors that another attempt
// would not change fail the file; the rest are retried.
func openVerdict(err error) error {
	switch {
	case errors.Is(err, ErrOutsideRoots):
		return Fail(CodeOutsideRoots, err)
	case errors.Is(err, ErrNotAFile), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENXIO):
		return Fail(CodeNotAFile, err) // a socket gives ENXIO, a circle of links ELOOP
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return Fail(CodeNotFound, err)
	case errors.Is(err, fs.ErrPermission):
		return Fail(CodeNotPermitted, err)
	}
	return RetryLater(CodeIO, err)
}
