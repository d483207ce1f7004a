package crashtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// binary is the path of the program, built with failpoints.
var binary string

func TestMain(m *testing.M) { testkit.Main(suite{m}) }

// suite builds the program once for all tests.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	dir, err := os.MkdirTemp("", "baler-kill")
	if err == nil {
		binary = filepath.Join(dir, "baler")
		err = build()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build the program:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	return s.m.Run()
}

func build() error {
	cmd := exec.Command("go", "build", "-tags", "failpoint", "-o", binary, "./cmd/baler")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}
