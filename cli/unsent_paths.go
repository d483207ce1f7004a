package cli

import (
	"fmt"
	"iter"

	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/tasks"
)

// maxUnsent is how many paths of a list may be missing in front of one that is registered:
// so many symlinks, which a server does not register, and then it is another list.
const maxUnsent = 100_000

// anotherListError is the error for a list of which a transfer has not the beginning.
type anotherListError struct{ text string }

func (e *anotherListError) Error() string { return e.text }

// unsent yields the paths of a list that are not among the registered ones, which a
// submission before has sent in the same order. It yields none, but an *anotherListError, when
// the list does not have all of them.
func unsent(registered, list iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		next, stop := iter.Pull2(registered)
		defer stop()
		want, wrong, more := next()
		var left []string
		for name, err := range list {
			switch {
			case wrong != nil:
				err = wrong
			case err == nil && more && client.SamePath(name, want):
				want, wrong, more = next()
				continue
			case err == nil && more && len(left) == maxUnsent:
				err = &anotherListError{fmt.Sprintf("has %q, which is not among the first %d paths of the list", want, maxUnsent)}
			case err == nil && more:
				left = append(left, name)
				continue
			}
			if err != nil {
				yield("", err)
				return
			}
			if !yieldAll(yield, append(left, name)) {
				return
			}
			left = nil
		}
		switch {
		case wrong != nil:
			yield("", wrong)
		case more:
			yield("", &anotherListError{fmt.Sprintf(
				"has %q, which is not in the list at its place; use another key, or submit the same list again", want)})
		default:
			yieldAll(yield, left)
		}
	}
}

// yieldAll reports false when the loop has ended.
func yieldAll(yield func(string, error) bool, paths []string) bool {
	for _, p := range paths {
		if !yield(p, nil) {
			return false
		}
	}
	return true
}

// marking yields the paths of a list, and keeps the mark of those yielded.
func marking(mark *tasks.ListMark, list iter.Seq2[string, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name, err := range list {
			if err == nil {
				*mark, err = mark.Next(name)
			}
			if !yield(name, err) || err != nil {
				return
			}
		}
	}
}
