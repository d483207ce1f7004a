package recipe

import (
	"fmt"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// Answer says whether a step applies to a file.
type Answer string

// The values of Answer.
const (
	Applies     Answer = "yes"
	AppliesNot  Answer = "no"
	AppliesOpen Answer = "unknown" // it depends on facts that are not known
)

// StepExplanation says whether a step applies to a file, by which rule, and why.
type StepExplanation struct {
	Step   *Step
	Answer Answer
	Rule   *Rule  // the rule that decided, or on which the answer depends; nil without one
	Why    string // for people
	Args   any    // what the handler gets; nil for nothing, or when it is not known
	Err    error  // an *EvalError: the file becomes an error of the step, because the recipe cannot be evaluated for it
}

// Explain decides as Next does, with the facts that are known. open names further facts
// that earlier steps may record.
func (s *Step) Explain(f *tasks.File, facts map[string]any, open func(fact string) bool) StepExplanation {
	e := s.explain(f, facts, open)
	e.Step = s
	return e
}

func (s *Step) explain(f *tasks.File, facts map[string]any, open func(fact string) bool) StepExplanation {
	v := variablesOf(f, facts)
	why := "every file"
	if s.when != nil {
		c := ruleCondition{text: "when " + s.When, reads: s.when.reads, any: s.when.facts && len(s.when.reads) == 0}
		if fact := c.dependsOn(open); fact != "" {
			return StepExplanation{Answer: AppliesOpen, Why: c.text + ": only a run knows " + fact}
		}
		selected, err := s.when.holds(v)
		if err != nil {
			err = &EvalError{Number: s.Number, Step: s.Name, Part: "when", Source: s.When, Err: err}
			return StepExplanation{Answer: Applies, Why: "an error: " + err.Error(), Err: err}
		}
		why = c.text
		if !selected {
			return StepExplanation{Answer: AppliesNot, Why: "not " + c.text}
		}
	}
	if len(s.Rules) == 0 {
		return s.explainArgs(StepExplanation{Answer: Applies, Why: why}, &s.with, v, open)
	}
	for _, r := range s.Rules {
		if e, decided := s.explainRule(r, v, open); decided {
			return e
		}
	}
	return StepExplanation{Answer: AppliesNot, Why: "no rule matches"}
}

// explainRule returns decided = false when the rule does not match.
func (s *Step) explainRule(r *Rule, v *variables, open func(fact string) bool) (_ StepExplanation, decided bool) {
	var texts []string
	depends := ""
	for _, c := range r.tests {
		texts = append(texts, c.text)
		if fact := c.dependsOn(open); fact != "" {
			depends = c.text + ": only a run knows " + fact
			continue
		}
		if depends != "" && len(c.reads) > 0 {
			continue // it may fail only for files that do not come to this rule
		}
		ok, err := c.holds(v)
		if err != nil {
			err = &EvalError{Number: s.Number, Step: s.Name, Part: "rule " + r.title() + ": when", Source: r.When, Err: err}
			return StepExplanation{Answer: Applies, Rule: r, Why: "an error: " + err.Error(), Err: err}, true
		}
		if !ok {
			return StepExplanation{}, false
		}
	}
	why := strings.Join(texts, ", ")
	if why == "" {
		why = "it matches every file"
	}
	switch {
	case depends != "":
		return StepExplanation{Answer: AppliesOpen, Rule: r, Why: depends}, true
	case r.Nothing:
		return StepExplanation{Answer: AppliesNot, Rule: r, Why: "nothing to do: " + why}, true
	}
	return s.explainArgs(StepExplanation{Answer: Applies, Rule: r, Why: why}, &r.with, v, open), true
}

// explainArgs adds the arguments, unless they depend on open facts.
func (s *Step) explainArgs(e StepExplanation, with *arguments, v *variables, open func(fact string) bool) StepExplanation {
	c := ruleCondition{any: with.facts && len(with.reads) == 0}
	for _, read := range with.reads {
		c.reads = append(c.reads, read.fact)
	}
	if fact := c.dependsOn(open); fact != "" {
		e.Why += "; its arguments depend on " + fact
		return e
	}
	if e.Args, e.Err = render(with.value, v, s.Number, s.Name); e.Err != nil {
		e.Why = "an error: " + e.Err.Error()
	}
	return e
}

// dependsOn names the open fact on which a condition depends; it returns "" without one.
func (c *ruleCondition) dependsOn(open func(fact string) bool) string {
	for _, fact := range c.reads {
		if open(fact) {
			return fmt.Sprintf("the fact %s", fact)
		}
	}
	if c.any && open("") {
		return "the facts"
	}
	return ""
}
