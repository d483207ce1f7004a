package recipe

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxRules limits the rules of a step.
const maxRules = 500

// rulesOf reads the rules of a step: the name of a set, or a list of rules and sets.
func (c *diagnostics) rulesOf(f field, step *arguments) []*Rule {
	var all []*Rule
	switch f.value.(type) {
	case *ast.StringNode:
		ref, _ := c.text(f)
		all = c.ruleSet(ref, f.line)
	default:
		all = c.ruleList(f, true)
	}
	if len(all) > maxRules {
		c.addf(f.line, "%d rules; a step has at most %d", len(all), maxRules)
	}
	if _, object := step.value.(map[string]any); step.value != nil && !object {
		c.addf(f.line, "rules need a \"with\" of keys and values in the step, because a rule's \"with\" is merged into it")
		return nil
	}
	bound := make([]*Rule, len(all))
	for i, r := range all {
		bound[i] = r.bind(step)
	}
	return bound
}

// ruleList reads a list of rules. With sets, an entry "use" stands for the rules of a set.
func (c *diagnostics) ruleList(f field, sets bool) (all []*Rule) {
	list, ok := f.value.(*ast.SequenceNode)
	if !ok {
		hint := ""
		if sets {
			hint = ", or the name of a set such as builtin:characterize or the path of a file"
		}
		c.addf(f.line, "%s must be a list of rules%s, not %s", f.name, hint, kind(f.value))
		return nil
	}
	if len(list.Values) == 0 {
		c.addf(f.line, "%s is empty; leave it out to select every file", f.name)
	}
	names := make(map[string]bool)
	for i, node := range list.Values {
		r, ref := c.rule(i+1, node, sets)
		switch {
		case ref != "":
			all = append(all, c.ruleSet(ref, lineOf(node))...)
		case r != nil:
			if names[r.Name] {
				c.addf(r.line, "another rule before it is called %q; give it a name of its own", r.Name)
			}
			names[r.Name] = true
			all = append(all, r)
		}
	}
	return all
}

// rule reads one entry: a rule, or the name of a set.
func (c *diagnostics) rule(no int, node ast.Node, sets bool) (_ *Rule, ref string) {
	r := &Rule{file: c.file, line: lineOf(node)}
	keys := []string{"name", "description", "puid", "mime", "ext", "min_size", "max_size", "when", "with", "nothing"}
	if sets {
		keys = append(keys, "use")
	}
	fs, ok := c.mapping("rule", node, r.line, keys...)
	if !ok {
		return nil, ""
	}
	if f, ok := fs.get("use"); ok {
		if len(fs.names) > 1 {
			c.addf(f.line, "use stands alone: it takes all rules of a set")
		}
		ref, _ := c.text(f)
		return nil, ref
	}
	f, ok := fs.get("name")
	if !ok {
		c.addf(r.line, "rule %d has no name; give it one, as in \"name: images\"", no)
		return nil, ""
	}
	r.Name = c.word(f)
	if f, ok := fs.get("description"); ok {
		r.Description, _ = c.text(f)
	}
	c.ruleConditions(r, fs)
	c.ruleAction(r, fs)
	r.tests = r.conditions()
	return r, ""
}

var puidPattern = regexp.MustCompile(`^(?:(?:x-)?fmt/[0-9]+|UNKNOWN)$`)

func (c *diagnostics) ruleConditions(r *Rule, fs fields) {
	if f, ok := fs.get("puid"); ok {
		r.PUID = c.words(f, func(s string) (string, string) {
			if !puidPattern.MatchString(s) {
				return "", "must be a PRONOM identifier such as fmt/43 or x-fmt/111, or UNKNOWN"
			}
			return s, ""
		})
	}
	if f, ok := fs.get("mime"); ok {
		r.MIME = c.words(f, func(s string) (string, string) {
			s = strings.ToLower(s)
			kind, sub, ok := strings.Cut(s, "/")
			if !ok || kind == "" || sub == "" || strings.Contains(kind, "*") || sub != "*" && strings.Contains(sub, "*") {
				return "", "must be a type such as image/png, or image/* for all images"
			}
			return s, ""
		})
	}
	if f, ok := fs.get("ext"); ok {
		r.Ext = c.words(f, func(s string) (string, string) {
			s = strings.ToLower("." + strings.TrimPrefix(s, "."))
			if s == "." || strings.Contains(s[1:], ".") || strings.ContainsAny(s, "/*") {
				return "", "must be the last extension of a name, such as jpg"
			}
			return s, ""
		})
	}
	if f, ok := fs.get("min_size"); ok {
		r.MinSize = c.size(f)
	}
	if f, ok := fs.get("max_size"); ok {
		r.MaxSize = c.size(f)
		if r.MaxSize > 0 && r.MinSize > r.MaxSize {
			c.addf(f.line, "rule %s: no file is so large as min_size and so small as max_size", r.Name)
		}
	}
	if f, ok := fs.get("when"); ok {
		r.When, r.when = c.condition(f)
	}
}

func (c *diagnostics) ruleAction(r *Rule, fs fields) {
	if f, ok := fs.get("nothing"); ok {
		b, isBool := f.value.(*ast.BoolNode)
		if !isBool || !b.Value {
			c.addf(f.line, "nothing must be true; leave it out for a rule that does something")
		}
		r.Nothing = true
	}
	if f, ok := fs.get("with"); ok {
		if r.Nothing {
			c.addf(f.line, "rule %s: with and nothing exclude each other", r.Name)
		}
		if _, ok := entriesOf(f.value); !ok {
			c.addf(f.line, "rule %s: with must be a mapping, because it is merged into the step's, not %s", r.Name, kind(f.value))
			return
		}
		r.own = c.arguments(f, variables{})
	}
}

// words reads one text or a list of texts. each converts a text, or says what is wrong with
// it.
func (c *diagnostics) words(f field, each func(string) (value, wrong string)) (all []string) {
	nodes := []ast.Node{f.value}
	if list, ok := f.value.(*ast.SequenceNode); ok {
		nodes = list.Values
	}
	if len(nodes) == 0 {
		c.addf(f.line, "%s is an empty list; leave it out if it does not matter", f.name)
	}
	for _, node := range nodes {
		s, ok := c.text(field{f.name, lineOf(node), node})
		if !ok {
			continue
		}
		value, wrong := each(strings.TrimSpace(s))
		if wrong != "" {
			c.addf(lineOf(node), "%s %q %s", f.name, s, wrong)
			continue
		}
		all = append(all, value)
	}
	return all
}
