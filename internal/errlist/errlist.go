// Package errlist implements the methods of error types that are lists of errors.
package errlist

import "strings"

// Text joins the texts of the errors, one a line.
func Text[E error](list []E) string {
	lines := make([]string, len(list))
	for i, err := range list {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap converts the list for errors.Is and errors.As.
func Unwrap[E error](list []E) []error {
	errs := make([]error, len(list))
	for i, err := range list {
		errs[i] = err
	}
	return errs
}
