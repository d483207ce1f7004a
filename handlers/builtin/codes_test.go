package builtin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
)

// codesOf are the codes of a package, as its source has them.
type codesOf struct {
	constants map[string]string          // value by name
	made      map[string]bool            // codes that are made of a word and something else
	verdicts  map[string]map[string]bool // outcomes by the name of the constant that stands beside them
}

// verdictOutcomes are the words of the pages for functions that give a code an outcome, and for
// outcomes that stand beside a code.
func verdictOutcomes() map[string]string {
	return map[string]string{
		"handlers.Fail": "failed", "handlers.Warn": "warning", "handlers.Skip": "skipped", "handlers.RetryLater": "error",
		"tasks.OutcomeFailed": "failed", "tasks.OutcomeWarning": "warning", "tasks.OutcomeSkipped": "skipped",
		"tasks.OutcomeError": "error", "tasks.OutcomeTimedOut": "timed_out",
		"refuse": "warning", "exceed": "failed", // of members of an archive, and of the whole
	}
}

func readCodes(t *testing.T, folder string) codesOf {
	t.Helper()
	c := codesOf{make(map[string]string), make(map[string]bool), make(map[string]map[string]bool)}
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	testkit.Must(t, err)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		testkit.Must(t, err)
		ast.Inspect(file, c.visit)
	}
	return c
}

func (c *codesOf) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if !strings.HasPrefix(name.Name, "Code") || i >= len(n.Values) {
				continue
			}
			if value, ok := n.Values[i].(*ast.BasicLit); ok {
				c.constants[name.Name], _ = strconv.Unquote(value.Value)
			}
		}
	case *ast.CallExpr:
		c.beside(append([]ast.Expr{n.Fun}, n.Args...))
		c.composed(n)
	case *ast.CompositeLit:
		c.beside(n.Elts)
	}
	return true
}

// beside notes which codes and outcomes stand beside each other in a call or a literal.
func (c *codesOf) beside(all []ast.Expr) {
	var codes, outcomes []string
	for _, e := range all {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			e = pair.Value
		}
		name := nameOf(e)
		if strings.HasPrefix(name, "Code") {
			codes = append(codes, name)
		}
		if outcome := verdictOutcomes()[name]; outcome != "" {
			outcomes = append(outcomes, outcome)
		}
	}
	for _, code := range codes {
		for _, outcome := range outcomes {
			if c.verdicts[code] == nil {
				c.verdicts[code] = make(map[string]bool)
			}
			c.verdicts[code][outcome] = true
		}
	}
}

// composed notes codes such as signal-NAME.
func (c *codesOf) composed(call *ast.CallExpr) {
	if verdictOutcomes()[nameOf(call.Fun)] == "" || len(call.Args) == 0 {
		return
	}
	sum, _ := call.Args[0].(*ast.BinaryExpr)
	if sum == nil {
		return
	}
	if word, ok := sum.X.(*ast.BasicLit); ok {
		text, _ := strconv.Unquote(word.Value)
		c.made[map[string]string{"signal-": "signal-NAME", "exit-": "exit-N"}[text]] = true
	}
}

// nameOf is the name that an expression consists of, with its package; else it is empty.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			return pkg.Name + "." + e.Sel.Name
		}
	}
	return ""
}

// The page of a handler lists each code of its package, with the outcomes that the source
// gives it, and no code that nothing gives.
func TestPagesListTheCodes(t *testing.T) {
	general := generalCodes(t)
	r := Registry()
	for _, name := range slices.Concat(r.Names(), r.FinalizerNames()) {
		docs := documentedCodes(r, name)
		codes := readCodes(t, strings.ReplaceAll(name, "-", ""))
		given := make(map[string]bool)
		for constant, code := range codes.constants {
			given[code] = true
			text, ok := docs[code]
			if !ok {
				t.Errorf("%s: the page does not list %s", name, code)
				continue
			}
			for outcome := range codes.verdicts[constant] {
				if !strings.Contains(text, outcome) {
					t.Errorf("%s: %s can end as %s; the page says %q", name, code, outcome, text)
				}
			}
			for _, outcome := range slices.Compact(slices.Sorted(maps.Values(verdictOutcomes()))) {
				if len(codes.verdicts[constant]) > 0 && strings.Contains(text, outcome) && !codes.verdicts[constant][outcome] {
					t.Errorf("%s: the page says that %s can end as %s, and nothing ends so", name, code, outcome)
				}
			}
		}
		for code := range codes.made {
			if docs[code] == "" {
				t.Errorf("%s: the page does not list %q", name, code)
			}
		}
		for code := range docs {
			if !given[code] && !general[code] && !strings.HasSuffix(code, "-N") && !strings.HasSuffix(code, "-NAME") {
				t.Errorf("%s: the page lists %s, and no package has that code", name, code)
			}
		}
	}
}

// generalCodes are those of packages that handlers use.
func generalCodes(t *testing.T) map[string]bool {
	all := make(map[string]bool)
	for _, folder := range []string{"..", "../command", "checksum", "../../internal/bagit"} {
		for _, code := range readCodes(t, folder).constants {
			all[code] = true
		}
	}
	return all
}

func documentedCodes(r *handlers.Registry, name string) map[string]string {
	docs := make(map[string]string)
	if reg, ok := r.Lookup(name); ok {
		for _, c := range reg.Docs.Codes {
			docs[c.Code] = c.Outcome
		}
	}
	if reg, ok := r.LookupFinalizer(name); ok {
		for _, c := range reg.Docs.Codes {
			docs[c.Code] = c.Outcome
		}
	}
	return docs
}
