package invoke

import (
	"errors"
	"log/slog"
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

func TestGuard(t *testing.T) {
	var logged strings.Builder
	log := slog.New(slog.NewTextHandler(&logged, nil))
	err := Guard(t.Context(), log, "loop", func() error { panic("here") })
	var crash *PanicError
	if !errors.As(err, &crash) || !strings.Contains(logged.String(), "TestGuard") || !strings.Contains(logged.String(), "loop: panic") {
		t.Errorf("got %v, logged %s", err, logged.String())
	}
	failed := errors.New("failed")
	if err := Guard(t.Context(), log, "loop", func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
}
