package builtin

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
)

func TestBuiltin(t *testing.T) {
	r := Registry()
	if got := r.Names(); !slices.Equal(got, []string{"characterize", "checksum", "coprocess", "copy", "exec", "extension", "extract", "identify", "move", "noop", "sanitize-names", "thumbnail", "validate", "verify", "virus-scan"}) {
		t.Errorf("names %v", got)
	}
	for _, name := range r.Names() {
		if reg, _ := r.Lookup(name); reg.Description == "" || reg.Batch.MaxItems == 0 {
			t.Errorf("%s: %+v", name, reg)
		}
	}
}

// Recipes are checked against the facts that a handler names, so it must name all.
func TestHandlersRecordOnlyTheFactsTheyName(t *testing.T) {
	r := Registry()
	file := filepath.Join(t.TempDir(), "a.png")
	testkit.Must(t, os.WriteFile(file, []byte("no picture"), 0o600))
	for _, c := range []struct {
		handler string
		args    any
		missing string // a fact that these arguments do not give
	}{
		{"checksum", map[string]any{"algorithms": []string{"md5", "sha512"}}, "sha256"},
		{"checksum", nil, "md5"},
		{"identify", nil, "sha256"},
		{"noop", nil, "size"},
		{"verify", nil, "size"},
		{"validate", nil, "size"},
	} {
		reg, _ := r.Lookup(c.handler)
		named := reg.Facts(c.args)
		_, facts := builtintest.Try(t, reg.Handler, c.args, file)
		for fact := range facts {
			if !slices.Contains(named, fact) {
				t.Errorf("%s records %q, and names only %q", c.handler, fact, named)
			}
		}
		if slices.Contains(named, c.missing) {
			t.Errorf("%s with %v names %q", c.handler, c.args, c.missing)
		}
	}
}

func TestFinalizers(t *testing.T) {
	r := Registry()
	if got := r.FinalizerNames(); !slices.Equal(got, []string{"bag", "manifest", "mets", "premis", "report", "verify"}) {
		t.Errorf("names %v", got)
	}
	if err := Register(r); err == nil {
		t.Error("registered twice")
	}
}
