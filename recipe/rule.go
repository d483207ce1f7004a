package recipe

import (
	"maps"
	"slices"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// Rule says what a step does with the files that it matches. All of its conditions must
// hold; of the values of one condition, any. A rule without conditions matches every file.
type Rule struct {
	Name        string
	Description string
	From        string // the set that the rule comes from, as the recipe names it; empty for the step's own

	PUID    []string
	MIME    []string // in lower case; "image/*" stands for all images
	Ext     []string // in lower case, each with its dot
	MinSize int64    // bytes; 0 for no limit
	MaxSize int64    // bytes; 0 for no limit
	When    string   // the condition's source; empty when there is none

	// Nothing says that the step leaves the file out, as if its condition were false.
	Nothing bool

	when  *expression
	own   arguments // of the rule alone
	with  arguments // those of the step, with the rule's in their place
	tests []ruleCondition
	file  string // where the rule is written
	line  int
}

// title returns a name of the rule for messages.
func (r *Rule) title() string {
	if r.From == "" {
		return r.Name
	}
	return r.Name + " of " + r.From
}

// ruleCondition is one condition of a rule.
type ruleCondition struct {
	text  string   // for people
	reads []string // facts
	any   bool     // it reads facts whose names are not known beforehand
	holds func(v *variables) (bool, error)
}

// conditions returns the conditions of the rule, cheap ones first.
func (r *Rule) conditions() (all []ruleCondition) {
	add := func(text string, reads []string, holds func(v *variables) bool) {
		all = append(all, ruleCondition{text: text, reads: reads, holds: func(v *variables) (bool, error) { return holds(v), nil }})
	}
	if len(r.Ext) > 0 {
		add("ext "+oneOf(r.Ext), nil, func(v *variables) bool { return slices.Contains(r.Ext, v.Ext) })
	}
	if r.MinSize > 0 {
		add(sizeText("min_size", r.MinSize), nil, func(v *variables) bool { return int64(v.Size) >= r.MinSize })
	}
	if r.MaxSize > 0 {
		add(sizeText("max_size", r.MaxSize), nil, func(v *variables) bool { return int64(v.Size) <= r.MaxSize })
	}
	if len(r.PUID) > 0 {
		add("puid "+oneOf(r.PUID), []string{"puid"}, func(v *variables) bool {
			puid, _ := v.Facts["puid"].(string)
			return slices.Contains(r.PUID, puid)
		})
	}
	if len(r.MIME) > 0 {
		add("mime "+oneOf(r.MIME), []string{"mime"}, func(v *variables) bool {
			mime, _ := v.Facts["mime"].(string)
			return matchesMIME(r.MIME, mime)
		})
	}
	if r.when != nil {
		all = append(all, ruleCondition{
			text: "when " + r.When, reads: r.when.reads, any: r.when.facts && len(r.when.reads) == 0, holds: r.when.holds,
		})
	}
	return all
}

// matches reports whether all conditions hold.
func (r *Rule) matches(v *variables) (bool, error) {
	for _, c := range r.tests {
		if ok, err := c.holds(v); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// matchesMIME takes a fact that may have several types, as PRONOM has for some formats.
func matchesMIME(patterns []string, fact string) bool {
	for mime := range strings.SplitSeq(strings.ToLower(fact), ",") {
		mime = strings.TrimSpace(mime)
		if mime != "" && slices.ContainsFunc(patterns, func(p string) bool { return coversMIME(p, mime) }) {
			return true
		}
	}
	return false
}

// coversMIME reports whether a pattern matches a type, or every type that another pattern
// matches.
func coversMIME(pattern, mime string) bool {
	if kind, all := strings.CutSuffix(pattern, "*"); all {
		return strings.HasPrefix(mime, kind)
	}
	return pattern == mime
}

// readsFacts reports whether choosing the rule, or its arguments, needs facts.
func (r *Rule) readsFacts() bool {
	return len(r.PUID) > 0 || len(r.MIME) > 0 || r.when != nil && r.when.facts || r.own.facts
}

// reads are the facts that the rule reads by name.
func (r *Rule) reads() (all []factRead) {
	for _, c := range r.tests {
		for _, fact := range c.reads {
			all = append(all, factRead{fact: fact, part: "rule " + r.title() + ":", source: c.text, line: r.line, file: r.file})
		}
	}
	return append(all, r.own.reads...)
}

// bind returns the rule of a step that has these arguments.
func (r *Rule) bind(step *arguments) *Rule {
	bound := *r
	bound.with = *step
	if r.own.value == nil {
		return &bound
	}
	merged := make(map[string]any)
	if object, ok := step.value.(map[string]any); ok {
		maps.Copy(merged, object)
	}
	if object, ok := r.own.value.(map[string]any); ok {
		maps.Copy(merged, object)
	}
	bound.with = r.own
	bound.with.value = merged
	bound.with.reads = slices.Concat(r.own.reads, step.reads)
	bound.with.rendered, bound.with.facts = r.own.rendered || step.rendered, r.own.facts || step.facts
	return &bound
}

func oneOf(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	return "in " + strings.Join(values, ", ")
}

func sizeText(name string, n int64) string { return name + " " + tasks.Size(n).String() }
