package cli

import (
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// linked is the program, made once for all tests that ask for it, for that takes seconds.
var linked = sync.OnceValues(testkit.Program)

// binary is the program as users have it, but for its failpoints.
func binary(t *testing.T) string {
	t.Helper()
	path, err := linked()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
