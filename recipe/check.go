package recipe

import "github.com/balerhq/baler/internal/suggest"

// Check reports the steps, and the final steps, whose handler is not known,
// as Errors with their lines.
func (r *Recipe) Check(known, knownFinalizer func(handler string) bool) error {
	c := &diagnostics{file: r.file}
	for _, s := range r.Steps {
		if !known(s.Handler) && knownFinalizer(s.Handler) {
			c.addf(s.line, "step %s: %q runs once for a whole transfer; list it under \"finally\"", s.Name, s.Handler)
			continue
		}
		c.handler(s.line, "step", s.Name, s.Handler, known)
	}
	for _, s := range r.Finalizers {
		if !knownFinalizer(s.Handler) && known(s.Handler) {
			c.addf(s.line, "final step %s: %q runs for files; list it under \"steps\"", s.Name, s.Handler)
			continue
		}
		c.handler(s.line, "final step", s.Name, s.Handler, knownFinalizer)
	}
	return c.err()
}

// handler reports a handler that is not known.
func (c *diagnostics) handler(line int, what, step, name string, known func(string) bool) {
	if known(name) {
		return
	}
	if near := suggest.Of(name, known); near != "" {
		c.addf(line, "%s %s: no handler is called %q; did you mean %q?", what, step, name, near)
		return
	}
	c.addf(line, "%s %s: no handler is called %q; register it with the worker, or correct the name", what, step, name)
}
