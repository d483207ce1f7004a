package testkit

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

// suite is a fake of a package's tests.
type suite func() int

func (s suite) Run() int { return s() }

func TestRunFailsAPackageThatLeavesAGoroutineBehind(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	var stderr bytes.Buffer

	code := run(suite(func() int { go leftOver(stop); return 0 }), &stderr, 0)

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
	if code := run(suite(func() int { return 7 }), &stderr, 0); code != 7 {
		t.Errorf("exit code %d, want 7", code)
	}
}

// A goroutine may end later than goleak waits.
func TestRunWaitsForGoroutinesThatEndLate(t *testing.T) {
	var stderr bytes.Buffer
	stop := make(chan struct{})
	code := run(suite(func() int {
		time.AfterFunc(time.Second, func() { close(stop) })
		go leftOver(stop)
		return 0
	}), &stderr, leakTimeout)
	if code != 0 {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
