package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/handlerpage"
	"github.com/balerhq/baler/internal/testkit"
)

func TestHandlers(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	contains(t, "list", s.must(exitOK, "handlers").stdout, "load            step        loads JSON lines", "verify          final step  ")
	contains(t, "one", s.must(exitOK, "handlers", "verify").stdout, "verify (step): ", "WITH ", "unlisted ", "FACT", "CODE", "verify (final step): ")
	equal(t, "JSON", s.must(exitOK, "handlers", "noop", "--json").stdout, `{"type":"handler","handler":"noop","kind":"step",`+
		`"description":"nothing; to measure what everything else costs","arguments":[],"facts":[],"codes":[]}`+"\n")
	contains(t, "another name", s.must(exitError, "handlers", "verfy").stderr, `no handler of this program is called "verfy"; did you mean "verify"?`)
}

func byName(t *testing.T) map[string][]handlers.Registration {
	t.Helper()
	all, err := newProgram(nil).handlersByName()
	testkit.Must(t, err)
	return all
}

func TestPagesOfHandlersAreUpToDate(t *testing.T) {
	t.Parallel()
	for name, of := range byName(t) {
		was, err := os.ReadFile("../docs/handlers/" + name + ".md")
		testkit.Must(t, err)
		if handlerpage.Page(name, string(was), of...) != string(was) {
			t.Errorf("docs/handlers/%s.md is out of date: run make docs", name)
		}
	}
}

// What is documented is what the handlers do: facts as they are registered, the codes that a
// package has, and the arguments that it reads.
func TestDocumentationOfHandlersIsComplete(t *testing.T) {
	t.Parallel()
	for name, of := range byName(t) {
		var args, codes []string
		for i := range of {
			r := &of[i]
			var facts []string
			for _, f := range r.Docs.Facts {
				facts = append(facts, f.Name)
			}
			if r.Facts != nil && name != "exec" {
				for _, fact := range r.Facts(map[string]any{"to": "/out", "algorithms": []any{"md5", "sha1", "sha256", "sha512"}}) {
					if !slices.Contains(facts, fact) {
						t.Errorf("%s: the fact %s is not documented", name, fact)
					}
				}
			}
			for _, a := range r.Docs.Args {
				args = append(args, a.Name)
			}
			for _, c := range r.Docs.Codes {
				codes = append(codes, c.Code)
			}
		}
		dir := "../handlers/builtin/" + strings.ReplaceAll(name, "-", "")
		for _, code := range constants(t, dir) {
			if !slices.Contains(codes, code) {
				t.Errorf("%s: the code %s is not documented", name, code)
			}
		}
		for _, arg := range argumentsOf(t, dir) {
			if !slices.Contains(args, arg) && !slices.Contains(args, "facts."+arg) {
				t.Errorf("%s: the argument %s is not documented", name, arg)
			}
		}
	}
}

// constants are the codes that a package declares.
func constants(t *testing.T, dir string) (codes []string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	testkit.Must(t, err)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		testkit.Must(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, "Code") {
				return true
			}
			if literal, ok := spec.Values[0].(*ast.BasicLit); ok {
				code, err := strconv.Unquote(literal.Value)
				testkit.Must(t, err)
				codes = append(codes, code)
			}
			return true
		})
	}
	return codes
}

var (
	argsStruct = regexp.MustCompile(`(?s)(?:type (?:\w*Args)|var given) struct \{(.*?)\n\t?\}`)
	jsonName   = regexp.MustCompile("`json:\"([a-z_]+)")
)

// argumentsOf are the arguments that a package reads.
func argumentsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*.go")
	testkit.Must(t, err)
	for _, file := range files {
		source, err := os.ReadFile(file)
		testkit.Must(t, err)
		for _, match := range argsStruct.FindAllStringSubmatch(string(source), -1) {
			for _, name := range jsonName.FindAllStringSubmatch(match[1], -1) {
				names = append(names, name[1])
			}
		}
	}
	return names
}
