package recipe

import "time"

// entry is what a step and a final step say alike.
type entry struct {
	name    string // the handler's when none is given
	handler string
	with    arguments
	timeout time.Duration
	retry   Retry
	line    int // of the handler's name; of the mapping when it is missing
}

// entry reads what fields say alike of a step and a final step, whose templates
// read variables of the type of known. Unnamed is the complaint when there is
// no handler.
func (c *complaints) entry(fs fields, known any, unnamed string) entry {
	e := entry{line: fs.line}
	if f, ok := fs.get("handler"); ok {
		e.line = f.line
		e.handler = c.word(f)
	} else {
		c.addf(f.line, "%s", unnamed)
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
