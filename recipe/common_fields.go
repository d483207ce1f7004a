package recipe

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// commonFields holds the fields that a step and a final step share.
type commonFields struct {
	name    string // the handler's when none is given
	handler string
	with    arguments
	timeout time.Duration
	retry   tasks.RetryPolicy
	line    int // of the handler's name; of the mapping when it is missing
}

// commonFields reads the fields that a step and a final step share. The templates
// in "with" read variables of the type of known. noHandler is the message for a
// missing handler.
func (c *diagnostics) commonFields(fs fields, known any, noHandler string) commonFields {
	e := commonFields{line: fs.line}
	if f, ok := fs.get("handler"); ok {
		e.line = f.line
		e.handler = c.word(f)
	} else {
		c.addf(f.line, "%s", noHandler)
	}
	e.name = e.handler
	if f, ok := fs.get("name"); ok {
		e.name = c.word(f)
	}
	if f, ok := fs.get("with"); ok {
		e.with = c.arguments(f, known)
	}
	if f, ok := fs.get("timeout"); ok {
		e.timeout = c.duration(f)
	}
	if f, ok := fs.get("retry"); ok {
		e.retry = c.retry(f)
	}
	return e
}
