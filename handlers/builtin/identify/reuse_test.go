package identify

import (
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// Results of other signatures are not taken over.
func TestSiegfriedVersionIsThatOfTheModule(t *testing.T) {
	t.Parallel()
	mod, err := os.ReadFile("../../../go.mod")
	testkit.Must(t, err)
	if want := "github.com/richardlehane/siegfried " + siegfriedVersion + "\n"; !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not have %q: set siegfriedVersion", want)
	}
}
