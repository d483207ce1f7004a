package recipe

import "github.com/balerhq/baler/internal/nearmiss"

// Check reports the steps whose handler is not known, as Errors with their lines.
func (r *Recipe) Check(known func(handler string) bool) error {
	c := &complaints{file: r.file}
	for _, s := range r.Steps {
		if known(s.Handler) {
			continue
		}
		if near := nearmiss.Of(s.Handler, known); near != "" {
			c.addf(s.line, "step %s: no handler is called %q; did you mean %q?", s.Name, s.Handler, near)
			continue
		}
		c.addf(s.line, "step %s: no handler is called %q; register it with the worker, or correct the name", s.Name, s.Handler)
	}
	return c.err()
}
