package recipe

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/errlist"
)

// Error is one error in a recipe's text.
type Error struct {
	File    string // as given to Parse
	Line    int    // from 1
	Message string

	// UnknownHandler is the handler that Check does not know, and that is similar to no
	// known one: other workers may have it.
	UnknownHandler string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message) }

// Errors are all errors of a recipe, in the order of its lines. Parse, Load and
// Check return them.
type Errors []*Error

func (es Errors) Error() string { return errlist.Text(es) }

// Unwrap gives the single errors to errors.Is and errors.As.
func (es Errors) Unwrap() []error { return errlist.Unwrap(es) }

// diagnostics collects the errors of one recipe.
type diagnostics struct {
	file string
	all  Errors

	sets      ruleSets
	elsewhere Errors // of other files that the recipe names
}

func (c *diagnostics) addf(line int, format string, args ...any) {
	c.addAtf(c.file, line, format, args...)
}

// addAtf adds an error of another file, such as one of rules. Without a file it is the recipe's.
func (c *diagnostics) addAtf(file string, line int, format string, args ...any) {
	e := &Error{File: cmp.Or(file, c.file), Line: line, Message: fmt.Sprintf(format, args...)}
	if e.File == c.file {
		c.all = append(c.all, e)
	} else {
		c.elsewhere = append(c.elsewhere, e)
	}
}

// err returns the collected errors, or nil.
func (c *diagnostics) err() error {
	if len(c.all)+len(c.elsewhere) == 0 {
		return nil
	}
	slices.SortStableFunc(c.all, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	return append(c.all, c.elsewhere...)
}

// EvalError is the failure of an expression for one file, for example because a
// fact has another type than the expression expects.
type EvalError struct {
	Number int    // the step's number, from 1
	Step   string // the step's name
	Part   string // "when", "with" or "rules"
	Source string // the expression
	Err    error
}

func (e *EvalError) Error() string {
	return fmt.Sprintf("step %s: %s %q: %v", e.Step, e.Part, e.Source, e.Err)
}

// Unwrap gives the cause.
func (e *EvalError) Unwrap() error { return e.Err }
