package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ProgramVersion is what the program says of itself.
const ProgramVersion = "1.2.3-test"

// Program builds the program baler with failpoints, and returns its path. The packages of
// a test run share the file, because linking it takes longer than most tests: one builds
// it, the others wait, and find it up to date.
func Program() (path string, err error) {
	ctx := context.Background() // several tests share the program
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(out)))
	dir := filepath.Join(root, ".cache", "test")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("make the program's folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("lock the program: %w", err)
	}
	defer lock.Close() // unlocks it
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock the program: %w", err)
	}
	path = filepath.Join(dir, "baler")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags", "failpoint",
		"-ldflags", "-s -w -X github.com/balerhq/baler/cli.version="+ProgramVersion, "-o", path, "./cmd/baler")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
}
