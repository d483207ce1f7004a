package recipe

import (
	"cmp"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/suggest"
	"github.com/balerhq/baler/tasks"
)

// HandlerInfo is what Check needs to know of a handler.
type HandlerInfo struct {
	CheckArgs func(args any) error    // nil accepts everything
	Facts     func(args any) []string // names of the facts that it may record; nil when they are not known

	WholeBatches bool // it cannot keep the time limit of a file

	// NotReusable says why its results cannot be taken over for another file; empty when they can.
	NotReusable string
}

// Catalog finds handlers by their names. A handler that only other workers have is a
// zero HandlerInfo.
type Catalog struct {
	Step      func(handler string) (HandlerInfo, bool)
	Finalizer func(handler string) (HandlerInfo, bool)
}

// Check reports, as Errors with their lines: steps and final steps whose handler is
// not known or does not accept their arguments, and conditions and arguments that
// read a fact which no step before them records. Arguments with templates are not
// checked.
func (r *Recipe) Check(c Catalog) error {
	d := &diagnostics{file: r.file}
	known := func(name string) bool { _, ok := c.Step(name); return ok }
	knownFinalizer := func(name string) bool { _, ok := c.Finalizer(name); return ok }
	var records []stepFacts
	for _, s := range r.Steps {
		h, ok := c.Step(s.Handler)
		if !ok && knownFinalizer(s.Handler) {
			d.addf(s.line, "step %s: %q runs once for a whole transfer; list it under \"finally\"", s.Name, s.Handler)
		} else if !ok {
			d.handler(s.line, "step", s.Name, s.Handler, known)
		}
		if h.WholeBatches && s.Timeout > 0 {
			d.addf(s.line, "step %s: timeout: handler %q works on whole batches and cannot time a file; set batch_timeout instead",
				s.Name, s.Handler)
		}
		d.stepArgs(s, h)
		d.reuses(s, h, ok, records)
		records = append(records, newStepFacts(s, h))
		d.shadowed(s)
	}
	d.facts(r.Steps, records)
	if r.Fixity && !slices.ContainsFunc(records, stepFacts.mayHaveDigest) {
		d.addf(r.Steps[0].line, "fixity compares digests, and no step records %s; add a step with the handler checksum",
			strings.Join(tasks.DigestFacts(), ", "))
	}
	for _, s := range r.FinalSteps {
		h, ok := c.Finalizer(s.Handler)
		if !ok && known(s.Handler) {
			d.addf(s.line, "final step %s: %q runs for files; list it under \"steps\"", s.Name, s.Handler)
		} else if !ok {
			d.handler(s.line, "final step", s.Name, s.Handler, knownFinalizer)
		}
		args, err := s.Args(&tasks.Transfer{})
		d.args(&s.with, s.line, "final step "+s.Name, h.CheckArgs, args, err)
	}
	return d.err()
}

// variants are the arguments that a step can have: its own, or those of each rule.
func (s *Step) variants(each func(with *arguments, args any, err error, rule *Rule)) {
	if len(s.Rules) == 0 {
		args, err := render(s.with.value, variablesOf(&tasks.File{}, nil), s.Number, s.Name)
		each(&s.with, args, err, nil)
		return
	}
	for _, r := range s.Rules {
		if !r.Nothing {
			args, err := render(r.with.value, variablesOf(&tasks.File{}, nil), s.Number, s.Name)
			each(&r.with, args, err, r)
		}
	}
}

func (c *diagnostics) stepArgs(s *Step, h HandlerInfo) {
	s.variants(func(with *arguments, args any, err error, rule *Rule) {
		line, what := s.line, "step "+s.Name
		if rule != nil {
			line, what = rule.line, "step "+s.Name+": rule "+rule.title()
		}
		c.args(with, line, what, h.CheckArgs, args, err)
	})
}

// handler reports a handler that is not known.
func (c *diagnostics) handler(line int, what, step, name string, known func(string) bool) {
	if near := suggest.Of(name, known); near != "" {
		c.addf(line, "%s %s: no handler is called %q; did you mean %q?", what, step, name, near)
		return
	}
	c.addf(line, "%s %s: no handler is called %q; register it with the worker, or correct the name", what, step, name)
	c.all[len(c.all)-1].UnknownHandler = name
}

// args reports arguments that the handler does not accept.
func (c *diagnostics) args(with *arguments, line int, step string, check func(any) error, args any, err error) {
	if with.rendered || check == nil {
		return
	}
	if err == nil {
		err = check(args)
	}
	if err != nil {
		for reason := range strings.SplitSeq(err.Error(), "\n") { // several errors have a line each
			c.addAtf(with.file, cmp.Or(with.line, line), "%s: with: %s", step, reason)
		}
	}
}
