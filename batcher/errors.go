package batcher

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/internal/invoke"
)

// ErrClosed is returned by Add after Close was called.
var ErrClosed = errors.New("batcher is closed")

// errExited is the error of a flush that neither returned nor panicked.
var errExited = errors.New("flush ended its goroutine without returning")

// ItemErrors holds the errors of the items of a batch that failed. The zero value holds
// none. It is not safe for concurrent use.
type ItemErrors struct { //nolint:errname // it holds several errors
	at map[int]error
}

// Set records the error of the item at index i, from 0, of the slice that was passed
// to the flush. A nil error removes an earlier one.
func (e *ItemErrors) Set(i int, err error) {
	if err == nil {
		delete(e.at, i)
		return
	}
	if e.at == nil {
		e.at = make(map[int]error)
	}
	e.at[i] = err
}

// At is the error of the item at index i, or nil when it did not fail.
func (e *ItemErrors) At(i int) error {
	if e == nil {
		return nil
	}
	return e.at[i]
}

// Len is how many items failed.
func (e *ItemErrors) Len() int {
	if e == nil {
		return 0
	}
	return len(e.at)
}

// All yields the errors in the order of their items.
func (e *ItemErrors) All() iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		if e == nil {
			return
		}
		for _, i := range slices.Sorted(maps.Keys(e.at)) {
			if !yield(i, e.at[i]) {
				return
			}
		}
	}
}

// Err returns e, or nil when no item failed. A flush ends with it.
func (e *ItemErrors) Err() error {
	if e.Len() == 0 {
		return nil
	}
	return e
}

func (e *ItemErrors) Error() string {
	for i, err := range e.All() {
		return fmt.Sprintf("%s of a batch failed, the first at index %d: %v", english.Plural(e.Len(), "item", ""), i, err)
	}
	return "no item of a batch failed"
}

// Unwrap gives the errors of the items to errors.Is and errors.As.
func (e *ItemErrors) Unwrap() []error {
	var errs []error
	for _, err := range e.All() {
		errs = append(errs, err)
	}
	return errs
}

// PanicError is the error of every item whose flush panicked.
type PanicError = invoke.PanicError

// splitErrors splits the error of a flush of n items into the errors of some items, or
// one error for all of them.
func splitErrors(err error, n int) (some *ItemErrors, whole error) {
	for e := err; e != nil; e = errors.Unwrap(e) {
		//nolint:errorlint // errors.As also looks into joins, where *ItemErrors stands beside an error that all items share
		some, ok := e.(*ItemErrors)
		if !ok {
			continue
		}
		if some.Len() == 0 {
			if e != err { //nolint:errorlint // identity is meant: a wrapped empty list means that something else went wrong
				return nil, err
			}
			return some, nil
		}
		for i := range some.at {
			if i < 0 || i >= n {
				return nil, fmt.Errorf("flush named item %d of %d: %w", i, n, err)
			}
		}
		return some, nil
	}
	return nil, err
}
