package architecture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Package is what the check of names needs to know of one package.
type Package struct {
	Path    string   // below the module; the root package is "baler"
	Imports []string // the module's packages that it imports, by Path
	Types   []string // the exported types that it defines; an alias defines none
}

// LoadTypes reads every package of the module in dir, tests left out.
func LoadTypes(ctx context.Context, dir string) ([]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Imports,Dir,GoFiles,IgnoredGoFiles", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	var all []Package
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read packages: %w", err)
		}
		p, err := l.read()
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// listed is a package as "go list" describes it.
type listed struct {
	ImportPath     string   `json:"ImportPath"`
	Dir            string   `json:"Dir"`
	Imports        []string `json:"Imports"`
	GoFiles        []string `json:"GoFiles"`
	IgnoredGoFiles []string `json:"IgnoredGoFiles"`
}

func (l listed) read() (Package, error) {
	p := Package{Path: below(l.ImportPath)}
	for _, i := range l.Imports {
		if i == Module || strings.HasPrefix(i, Module+"/") {
			p.Imports = append(p.Imports, below(i))
		}
	}
	for _, name := range slices.Concat(l.GoFiles, l.IgnoredGoFiles) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(l.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return p, fmt.Errorf("read package: %w", err)
		}
		p.Types = append(p.Types, exportedTypes(f)...)
	}
	slices.Sort(p.Types)
	p.Types = slices.Compact(p.Types) // a type may have one definition an operating system
	return p, nil
}

// below is the path of a package below the module.
func below(path string) string {
	if path == Module {
		return "baler"
	}
	return strings.TrimPrefix(path, Module+"/")
}

func exportedTypes(f *ast.File) (names []string) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			if t, ok := s.(*ast.TypeSpec); ok && t.Name.IsExported() && !t.Assign.IsValid() {
				names = append(names, t.Name.Name)
			}
		}
	}
	return names
}

// Ambiguity is a type name that means two things to a reader of one package.
type Ambiguity struct {
	Type     string
	Packages []string // the packages that define it
	Seen     string   // a package that has both in sight
}

// Ambiguities lists the type names that two packages define while a third imports both
// of them, or while one of the two imports the other.
func Ambiguities(all []Package) (found []Ambiguity) {
	types := make(map[string][]string)
	for _, p := range all {
		types[p.Path] = p.Types
	}
	for _, p := range all {
		definers := make(map[string][]string)
		for _, path := range append([]string{p.Path}, p.Imports...) {
			for _, name := range types[path] {
				definers[name] = append(definers[name], path)
			}
		}
		for name, where := range definers {
			if len(where) > 1 {
				slices.Sort(where)
				found = append(found, Ambiguity{Type: name, Packages: where, Seen: p.Path})
			}
		}
	}
	slices.SortFunc(found, func(a, b Ambiguity) int {
		return strings.Compare(a.Type+" "+a.Seen, b.Type+" "+b.Seen)
	})
	return found
}
