package writable_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/writable"
	"github.com/balerhq/baler/recipe"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// A worker writes nothing without outputs, and relative paths below the first of its folders.
func TestWhatAWorkerCannotWrite(t *testing.T) {
	t.Parallel()
	there, away := t.TempDir(), filepath.Join(t.TempDir(), "away")
	for _, c := range []struct {
		outputs []string
		to      string
		problem string // empty: none
	}{
		{nil, "thumbs", "set BALER_OUTPUTS"},
		{nil, there, "set BALER_OUTPUTS"},
		{[]string{there}, "thumbs", ""},
		{[]string{there}, filepath.Join(there, "thumbs"), ""},
		{[]string{there}, away, "outside the folders in BALER_OUTPUTS"},
		{[]string{away, there}, "thumbs", "does not exist"},
		{[]string{"s3://bucket/out", there}, "thumbs", ""},
		{[]string{"s3://bucket/out"}, "thumbs", "has no folder that it could be relative to"},
	} {
		r, err := recipe.Parse("r", fmt.Appendf(nil, "name: r\nsteps:\n  - handler: thumbnail\n    with: {to: %q}\n", c.to))
		testkit.Must(t, err)
		found := writable.CheckWorker(r, builtin.Registry(), c.outputs)
		switch {
		case c.problem == "" && len(found) > 0:
			t.Errorf("%q within %q: %+v", c.to, c.outputs, found)
		case c.problem != "" && (len(found) != 1 || !strings.Contains(found[0].Problem, c.problem) || len(found[0].Uses) != 1):
			t.Errorf("%q within %q: %+v, want %q", c.to, c.outputs, found, c.problem)
		}
	}
}
