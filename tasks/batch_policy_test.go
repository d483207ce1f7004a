package tasks

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDefaultPolicyIsValid(t *testing.T) {
	if err := DefaultBatchPolicy().Validate(); err != nil {
		t.Error(err)
	}
	if want := (BatchPolicy{MaxItems: 128, MaxBytes: 268435456, MaxDelay: time.Second}); DefaultBatchPolicy() != want {
		t.Errorf("Default() = %+v, want %+v", DefaultBatchPolicy(), want)
	}
}

func TestOverlayFollowsThePrecedence(t *testing.T) {
	step := BatchPolicy{MaxItems: 9}
	site := BatchPolicy{MaxItems: 50, MaxDelay: 20 * time.Millisecond}
	handler := BatchPolicy{MaxItems: 60, MaxDelay: time.Minute, Target: time.Hour}

	got := step.Overlay(site).Overlay(handler).Overlay(DefaultBatchPolicy())
	want := BatchPolicy{MaxItems: 9, MaxBytes: 256 << 20, MaxDelay: 20 * time.Millisecond, Target: time.Hour}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOverlayIsAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawBatchPolicy(t), drawBatchPolicy(t), drawBatchPolicy(t)
		if l, r := a.Overlay(b).Overlay(c), a.Overlay(b.Overlay(c)); l != r {
			t.Errorf("(a over b) over c = %+v, a over (b over c) = %+v", l, r)
		}
	})
}

func TestValidateReportsEverythingWrong(t *testing.T) {
	err := BatchPolicy{MaxItems: -1, MaxBytes: -1, MaxDelay: -1, Target: -1}.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"max_items", "max_bytes", "max_delay", "target"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%q does not name %s", err, field)
		}
	}
}

func drawBatchPolicy(t *rapid.T) BatchPolicy {
	return BatchPolicy{
		MaxItems: rapid.IntRange(0, 3).Draw(t, "max items"),
		MaxBytes: rapid.Int64Range(0, 3).Draw(t, "max bytes"),
		MaxDelay: time.Duration(rapid.IntRange(0, 3).Draw(t, "max delay")),
		Target:   time.Duration(rapid.IntRange(0, 3).Draw(t, "target")),
	}
}
