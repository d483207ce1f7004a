// Package errlist is for error types that are a list of one kind of error.
package errlist

import "strings"

// Text is the errors' texts, one a line.
func Text[E error](list []E) string {
	lines := make([]string, len(list))
	for i, err := range list {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single errors to errors.Is and errors.As.
func Unwrap[E error](list []E) []error {
	errs := make([]error, len(list))
	for i, err := range list {
		errs[i] = err
	}
	return errs
}
