package failpoint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryPointStandsInTheCodeOnce reads the sources: a fault that a test asks
// for must mean one place.
func TestEveryPointStandsInTheCodeOnce(t *testing.T) {
	identifiers := constants(t)
	sites := make(map[string][]string)
	const root = "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			collect(t, path, sites)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for identifier, name := range identifiers {
		if len(sites[identifier]) != 1 {
			t.Errorf("failpoint.Point(failpoint.%s) stands in %v, want one place", identifier, sites[identifier])
		}
		found := false
		for _, n := range Names() {
			found = found || n == name
		}
		if !found {
			t.Errorf("Names lacks %s", name)
		}
		delete(sites, identifier)
	}
	for identifier, places := range sites {
		t.Errorf("%v: failpoint.%s is no name of a point", places, identifier)
	}
	if len(Names()) != len(identifiers) {
		t.Errorf("Names has %d points, there are %d", len(Names()), len(identifiers))
	}
}

// constants reads the enumeration: identifiers and what they stand for.
func constants(t *testing.T) map[string]Name {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]Name)
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			names[spec.Names[0].Name] = Name(strings.Trim(spec.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	return names
}

// collect notes the calls of Point in one file.
func collect(t *testing.T, path string, sites map[string][]string) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !isSelector(call.Fun, "Point") {
			return true
		}
		if len(call.Args) != 1 || !isSelector(call.Args[0], "") {
			t.Errorf("%s: a point is named by its constant", set.Position(call.Pos()))
			return true
		}
		name := call.Args[0].(*ast.SelectorExpr).Sel.Name
		sites[name] = append(sites[name], set.Position(call.Pos()).String())
		return true
	})
}

// isSelector reports whether e is failpoint.NAME, or any name when it is empty.
func isSelector(e ast.Expr, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	room, ok := s.X.(*ast.Ident)
	return ok && room.Name == "failpoint" && (name == "" || s.Sel.Name == name)
}
