package recipe

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/balerhq/baler/internal/suggest"
)

//go:embed builtin/rules/*.yaml
var builtinRules embed.FS

const builtinPrefix = "builtin:"

// BuiltinRules returns the names of the built-in sets of rules, as a recipe gives them.
func BuiltinRules() []string {
	entries, err := builtinRules.ReadDir("builtin/rules")
	if err != nil { // the folder is embedded
		panic(fmt.Sprintf("list built-in rules: %v", err))
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = builtinPrefix + strings.TrimSuffix(e.Name(), ".yaml")
	}
	return names
}

// ruleSets are the sets of rules that a recipe uses, by the names that it gives them. Sets
// that are not in the recipe's text are added to it, so that the text is complete.
type ruleSets struct {
	dir     string // of relative paths
	files   bool   // paths may be read
	inText  map[string][]*Rule
	outside []string // names of sets that were read, in order
}

// ruleSet returns the rules of a set.
func (c *diagnostics) ruleSet(ref string, line int) []*Rule {
	if rules, ok := c.sets.inText[ref]; ok {
		return rules
	}
	file, text, err := c.sets.open(ref)
	if err != nil {
		c.addf(line, "rules: %v", err)
		return nil
	}
	d := &diagnostics{file: file}
	var rules []*Rule
	if root, more := d.documents(string(text)); root != nil && len(more) == 0 {
		if fs, ok := d.mapping("rules file", root, lineOf(root), "description", "rules"); ok {
			rules = d.setRules(fs, ref)
		}
	}
	c.elsewhere = append(c.elsewhere, d.all...)
	c.sets.add(ref, rules)
	c.sets.outside = append(c.sets.outside, ref)
	return rules
}

func (s *ruleSets) add(ref string, rules []*Rule) {
	if s.inText == nil {
		s.inText = make(map[string][]*Rule)
	}
	s.inText[ref] = rules
}

// setRules reads the rules of a set from the key "rules".
func (c *diagnostics) setRules(fs fields, ref string) []*Rule {
	f, ok := fs.get("rules")
	if !ok {
		c.addf(f.line, "there are no rules; list them under \"rules\"")
		return nil
	}
	rules := c.ruleList(f, false)
	for _, r := range rules {
		r.From = ref
	}
	return rules
}

// open reads a set that is not in the recipe's text.
func (s *ruleSets) open(ref string) (file string, text []byte, err error) {
	if name, ok := strings.CutPrefix(ref, builtinPrefix); ok {
		file = "builtin/rules/" + name + ".yaml"
		if text, err = builtinRules.ReadFile(file); err != nil { // it does not exist
			known := BuiltinRules()
			if near := suggest.Of(ref, func(s string) bool { return slices.Contains(known, s) }); near != "" {
				return "", nil, fmt.Errorf("no rules are called %q; did you mean %q?", ref, near)
			}
			return "", nil, fmt.Errorf("no rules are called %q; known are %s", ref, strings.Join(known, ", "))
		}
		return file, text, nil
	}
	if !isPath(ref) {
		return "", nil, fmt.Errorf("%q is neither a set of rules, such as %s, nor the path of a .yaml file",
			ref, strings.Join(BuiltinRules(), ", "))
	}
	if !s.files {
		return "", nil, fmt.Errorf("%q is a file, and only a recipe that is read from a file may name one", ref)
	}
	file = ref
	if !filepath.IsAbs(file) {
		file = filepath.Join(s.dir, file)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = f.Close() }()                       // nothing was written
	text, err = io.ReadAll(io.LimitReader(f, maxSource+1)) // one byte more shows that it is too long
	return file, text, err
}

// textSet reads a set from a further document of the recipe's text.
func (c *diagnostics) textSet(node ast.Node) {
	entries, ok := entriesOf(node)
	if !ok || !slices.ContainsFunc(entries, func(e *ast.MappingValueNode) bool { return e.Key.String() == "rule_set" }) {
		c.addf(lineOf(node), "a second document begins here; a file holds one recipe, and sets of rules that begin with \"rule_set: NAME\"")
		return
	}
	fs, ok := c.mapping("set of rules", node, lineOf(node), "rule_set", "description", "rules")
	if !ok {
		return
	}
	f, _ := fs.get("rule_set")
	ref, ok := c.text(f)
	if !ok {
		return
	}
	if _, twice := c.sets.inText[ref]; twice {
		c.addf(f.line, "another set of rules before it is called %q", ref)
	}
	c.sets.add(ref, c.setRules(fs, ref))
}

// ruleText is a rule as it is kept with a recipe.
type ruleText struct {
	Name        string   `json:"name,omitempty"`
	Description string   `json:"description,omitempty"`
	PUID        []string `json:"puid,omitempty"`
	MIME        []string `json:"mime,omitempty"`
	Ext         []string `json:"ext,omitempty"`
	MinSize     int64    `json:"min_size,omitempty"`
	MaxSize     int64    `json:"max_size,omitempty"`
	When        string   `json:"when,omitempty"`
	Nothing     bool     `json:"nothing,omitempty"`
	With        any      `json:"with,omitempty"`
}

// essence returns everything that affects what the rule does, without names.
func (r *Rule) essence() ruleText {
	return ruleText{
		PUID: r.PUID, MIME: r.MIME, Ext: r.Ext, MinSize: r.MinSize, MaxSize: r.MaxSize,
		When: r.When, Nothing: r.Nothing, With: r.own.value,
	}
}

func (r *Rule) text() ruleText {
	t := r.essence()
	t.Name, t.Description = r.Name, r.Description
	return t
}

// yaml returns the sets that were outside, as further documents for the recipe's text. It
// writes JSON, which is YAML, because the layout of the files does not matter.
func (s *ruleSets) yaml() string {
	var b bytes.Buffer
	for _, ref := range s.outside {
		fmt.Fprintf(&b, "---\nrule_set: %s\nrules:\n", jsonText(ref))
		for _, r := range s.inText[ref] {
			fmt.Fprintf(&b, "  - %s\n", jsonText(r.text()))
		}
	}
	return b.String()
}

func jsonText(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // the parser accepts only JSON values
		panic(fmt.Sprintf("encode rules: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}
