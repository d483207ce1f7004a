package architecture_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/architecture"
)

const root = "../.."

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPictureShowsTheImports(t *testing.T) {
	g, err := architecture.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := architecture.Picture(page(t))
	if err != nil {
		t.Fatal(err)
	}
	if got != g.Reduced().Mermaid() {
		t.Error("docs/architecture.md shows other imports than the code has: run 'make picture'")
	}
}

// mostHops is how many functions a reader should have to follow.
const mostHops = 20

func TestHopsExist(t *testing.T) {
	hops := architecture.Hops(page(t))
	if len(hops) < 10 || len(hops) > mostHops {
		t.Errorf("the way of one file has %d hops; at most %d are readable", len(hops), mostHops)
	}
	for _, name := range hops {
		slash := strings.LastIndexByte(name, '/') + 1
		dot := strings.IndexByte(name[slash:], '.') + slash
		dir, function := name[:dot], name[dot+1:]
		if dir == "baler" {
			dir = "."
		}
		known, err := architecture.Functions(filepath.Join(root, dir))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !known[function] {
			t.Errorf("%s does not exist", name)
		}
	}
}

func TestReducedKeepsWhoStandsAboveWhom(t *testing.T) {
	g := architecture.Graph{"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": nil}
	r := g.Reduced()
	for from, want := range (architecture.Graph{"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": nil}) {
		if !slices.Equal(r[from], want) {
			t.Errorf("%s imports %v, want %v", from, r[from], want)
		}
	}
	if got := (architecture.Graph{"baler": {"internal/x"}, "internal/x": nil}).Mermaid(); !strings.Contains(got, "p0[baler]:::public\n") ||
		!strings.Contains(got, "p1[x]\n") || !strings.Contains(got, "p0 --> p1\n") {
		t.Errorf("drawn as %s", got)
	}
}

func TestRedraw(t *testing.T) {
	got, err := architecture.Redraw("text\n```mermaid\nold\n```\nmore\n", "new\n")
	if err != nil || got != "text\n```mermaid\nnew\n```\nmore\n" {
		t.Errorf("redrawn as %q, %v", got, err)
	}
	if _, err := architecture.Redraw("no picture", "new\n"); err == nil {
		t.Error("redrawn without a picture")
	}
}
