package testkit

import (
	"bytes"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// suite stands in for a package's tests.
type suite func() int

func (s suite) Run() int { return s() }

func TestRunFailsAPackageThatLeavesAGoroutineBehind(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	var stderr bytes.Buffer

	code := run(suite(func() int { go leftOver(stop); return 0 }), &stderr)

	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if !strings.Contains(stderr.String(), "leftOver") {
		t.Errorf("the goroutine is not named in %q", stderr.String())
	}
}

func leftOver(stop <-chan struct{}) { <-stop }

func TestRunKeepsTheExitCodeOfTheTests(t *testing.T) {
	var stderr bytes.Buffer
	if code := run(suite(func() int { return 7 }), &stderr); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
}
