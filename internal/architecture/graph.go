package architecture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// Module is the path of this module.
const Module = "github.com/balerhq/baler"

// Graph holds, for each package by its path below the module, the packages of
// the module that it imports. The root package is "baler".
type Graph map[string][]string

// left reports whether the picture leaves a package out: packages that only tests and
// the documentation use, and small packages that any other may import and that import
// at most tasks.
func left(name string) bool {
	for _, prefix := range []string{
		"examples", "internal/architecture", "internal/browsertest", "internal/builtintest",
		"internal/crashtest", "internal/systemtest", "internal/testkit",
		"internal/testservers", "internal/transfertest",

		"internal/address", "internal/backoff", "internal/ctxio", "internal/diskspace", "internal/dsn", "internal/egress",
		"internal/errlist", "internal/expiry", "internal/failpoint", "internal/invoke", "internal/keyset",
		"internal/images", "internal/missing", "internal/sleep", "internal/stopwatch", "internal/suggest", "internal/tlshint",
	} {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			return true
		}
	}
	return false
}

// Load reads the packages of the module in dir with "go list", except those that the
// picture leaves out.
func Load(ctx context.Context, dir string) (Graph, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list packages: %w", err)
	}
	g := make(Graph)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string   `json:"ImportPath"`
			Imports    []string `json:"Imports"`
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, fmt.Errorf("read packages: %w", err)
		}
		g.add(p.ImportPath, p.Imports)
	}
}

func (g Graph) add(path string, imports []string) {
	from := node(path)
	if left(from) {
		return
	}
	to := g[from]
	for _, i := range imports {
		if n := node(i); strings.HasPrefix(i, Module) && n != from && !left(n) && !slices.Contains(to, n) {
			to = append(to, n)
		}
	}
	slices.Sort(to)
	g[from] = to
}

// node is the name of a package in the picture: its path below the module. Packages
// below internal/bench and internal/web share the node of their parent, and the built-in
// handlers have one node, except load, because the root package imports it.
func node(path string) string {
	if path == Module {
		return "baler"
	}
	name := strings.TrimPrefix(path, Module+"/")
	for _, whole := range []string{"internal/bench", "internal/web", "handlers/builtin"} {
		if strings.HasPrefix(name, whole+"/") && name != "handlers/builtin/load" {
			return whole
		}
	}
	return name
}

// Names lists the packages in alphabetical order.
func (g Graph) Names() []string { return slices.Sorted(maps.Keys(g)) }

// reaches reports whether from imports to through at least one other package.
func (g Graph) reaches(from, to string) bool {
	seen := make(map[string]bool)
	var visit func(string) bool
	visit = func(n string) bool {
		if n == to {
			return true
		}
		if seen[n] {
			return false
		}
		seen[n] = true
		return slices.ContainsFunc(g[n], visit)
	}
	return slices.ContainsFunc(g[from], func(n string) bool { return n != to && visit(n) })
}

// Reduced leaves out each import that other imports imply. The picture stays readable
// and still shows the order of the packages.
func (g Graph) Reduced() Graph {
	r := make(Graph, len(g))
	for from, all := range g {
		r[from] = slices.DeleteFunc(slices.Clone(all), func(to string) bool { return g.reaches(from, to) })
	}
	return r
}
