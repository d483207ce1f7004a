package crashtest

import (
	"fmt"
	"os"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// binary is the path of the program, which has failpoints.
var binary string

func TestMain(m *testing.M) { testkit.Main(suite{m}) }

// suite builds the program once for all tests.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	path, err := testkit.Program()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = path
	return s.m.Run()
}
