package invoke

import (
	"errors"
	"strings"
	"testing"
)

func TestStackBeginsWhereItPanicked(t *testing.T) {
	err := <-Go(func() error { panic("here") })
	var crash *PanicError
	if !errors.As(err, &crash) {
		t.Fatalf("got %v", err)
	}
	first, _, _ := strings.Cut(crash.Stack, "\n")
	if !strings.Contains(first, "TestStackBeginsWhereItPanicked") || !strings.Contains(first, "invoke_test.go:") {
		t.Errorf("begins with %s", first)
	}
	if strings.Count(crash.Stack, "\n") > maxFrames {
		t.Errorf("too long:\n%s", crash.Stack)
	}
}
