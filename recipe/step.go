package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/balerhq/baler/tasks"
)

// Limits on a recipe's numbers. They catch mistakes such as a size in bytes where
// a number of files belongs.
const (
	maxItems    = 100_000
	maxAttempts = 100
)

// step reads one entry of the list of steps.
func (c *diagnostics) step(no int, node ast.Node) *Step {
	s := &Step{Number: no, OnFailure: Stop, line: lineOf(node)}
	fs, ok := c.mapping("step", node, s.line,
		"name", "handler", "with", "when", "timeout", "batch_timeout", "retry", "batch", "on_failure",
		"emit_from", "rules", "reuse", "approve", "limits")
	if !ok {
		return s
	}
	e := c.commonFields(fs, variables{}, fmt.Sprintf("step %d has no handler; name one, as in \"handler: checksum\"", no))
	s.Name, s.Handler, s.Timeout, s.Retry, s.with, s.line = e.name, e.handler, e.timeout, e.retry, e.with, e.line
	if f, ok := fs.get("when"); ok {
		s.When, s.when = c.condition(f)
		s.whenLine = f.line
	}
	if f, ok := fs.get("rules"); ok {
		s.Rules = c.rulesOf(f, &s.with)
	}
	if f, ok := fs.get("batch"); ok {
		s.Batch = c.batch(f)
	}
	if f, ok := fs.get("batch_timeout"); ok {
		s.BatchTimeout = c.duration(f)
	}
	if f, ok := fs.get("on_failure"); ok {
		s.OnFailure = c.onFailure(f)
	}
	if f, ok := fs.get("reuse"); ok {
		s.Reuse, s.reuseLine = c.reuse(f), f.line
	}
	if f, ok := fs.get("approve"); ok {
		s.Approve = c.yes(f)
	}
	if f, ok := fs.get("limits"); ok {
		s.Limits = c.limits(f)
	}
	if f, ok := fs.get("emit_from"); ok {
		s.emitFrom, _ = c.text(f)
		s.emitFromLine = f.line
	}
	return s
}

func (c *diagnostics) condition(f field) (string, *expression) {
	source, ok := c.text(f)
	if !ok {
		return "", nil
	}
	source = strings.TrimSpace(source)
	if source == "" {
		c.addf(f.line, "when is empty; leave it out to select every file")
		return "", nil
	}
	e, err := compileCondition(source)
	if err != nil {
		c.addf(f.line, "when %q: %v", source, err)
		return "", nil
	}
	return source, e
}

func (c *diagnostics) retry(f field) tasks.RetryPolicy {
	var r tasks.RetryPolicy
	fs, ok := c.mapping("retry", f.value, f.line, "attempts", "backoff", "max_backoff")
	if !ok {
		return r
	}
	if f, ok := fs.get("attempts"); ok {
		r.Attempts = c.count(f, maxAttempts)
	}
	if f, ok := fs.get("backoff"); ok {
		r.Backoff = c.duration(f)
	}
	if f, ok := fs.get("max_backoff"); ok {
		r.MaxBackoff = c.duration(f)
		if r.MaxBackoff != 0 && r.MaxBackoff < r.Backoff {
			c.addf(f.line, "max_backoff %s is less than backoff %s", r.MaxBackoff, r.Backoff)
		}
	}
	return r
}

func (c *diagnostics) batch(f field) tasks.BatchPolicy {
	var b tasks.BatchPolicy
	fs, ok := c.mapping("batch", f.value, f.line, "max_items", "max_bytes", "max_delay", "target")
	if !ok {
		return b
	}
	if f, ok := fs.get("max_items"); ok {
		b.MaxItems = c.count(f, maxItems)
	}
	if f, ok := fs.get("max_bytes"); ok {
		b.MaxBytes = c.size(f)
	}
	if f, ok := fs.get("max_delay"); ok {
		b.MaxDelay = c.duration(f)
	}
	if f, ok := fs.get("target"); ok {
		b.Target = c.duration(f)
	}
	return b
}

// maxLimits is how many limits a step may name.
const maxLimits = 8

// limits reads the names of limits, each once.
func (c *diagnostics) limits(f field) []string {
	names := c.words(f, func(name string) (string, string) {
		if tasks.CheckLimitName(name) != nil {
			return "", fmt.Sprintf("must be the name of a limit, such as gpu: up to %d small letters, digits, and . _ - between them",
				tasks.MaxLimitName)
		}
		return name, ""
	})
	if len(names) > maxLimits {
		c.addf(f.line, "limits names %d limits, and a step may name %d", len(names), maxLimits)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (c *diagnostics) onFailure(f field) OnFailure {
	s, ok := c.text(f)
	if !ok {
		return Stop
	}
	switch o := OnFailure(s); o {
	case Stop, Continue:
		return o
	}
	c.addf(f.line, "on_failure %q must be stop or continue", s)
	return Stop
}
