package systemtest

import (
	"path/filepath"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

// A file that the recipe's condition leaves out is compared by size and time only, and
// keeps the digest that it had.
func TestFixityOfFilesThatNoStepReads(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := folder(t, "a", "b")
		b := open(t, c, nil)
		run(t, b, baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "checksum")})
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, "name: x\nfixity: true\nsteps: [{handler: checksum, when: name == \"a\"}]")}
		next := fixityRuns(t, b, &s)
		next(baler.FixityCounts{Unchanged: 2, Uncompared: 1}, "", "", "")
		rot(t, filepath.Join(root, "b"), "B")
		next(baler.FixityCounts{Unchanged: 2, Uncompared: 1}, "", "", "")
	})
}
