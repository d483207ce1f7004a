package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMain(m *testing.M) {
	testkit.Main(suite{m})
}

// suite gives the tests a folder for what they share.
type suite struct{ m *testing.M }

var shared string

func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "baler-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, "make a folder for the program:", err)
		return 1
	}
	shared = dir
	defer os.RemoveAll(dir)
	return s.m.Run()
}

// linked is the program, made once for all tests that ask for it, for that takes seconds.
var linked = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(shared, "baler")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-X github.com/balerhq/baler/cli.version=1.2.3-test", "-o", path,
		"../cmd/baler").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return path, err
})

// binary is the program as users have it.
func binary(t *testing.T) string {
	t.Helper()
	path, err := linked()
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return path
}
