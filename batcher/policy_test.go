package batcher

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

func TestDefaultPolicyIsValid(t *testing.T) {
	if err := DefaultPolicy().Validate(); err != nil {
		t.Error(err)
	}
	if want := (Policy{MaxItems: 128, MaxBytes: 268435456, MaxDelay: time.Second}); DefaultPolicy() != want {
		t.Errorf("Default() = %+v, want %+v", DefaultPolicy(), want)
	}
}

func TestOverFollowsThePrecedence(t *testing.T) {
	step := Policy{MaxItems: 9}
	site := Policy{MaxItems: 50, MaxDelay: 20 * time.Millisecond}
	handler := Policy{MaxItems: 60, MaxDelay: time.Minute, Target: time.Hour}

	got := step.Overlay(site).Overlay(handler).Overlay(DefaultPolicy())
	want := Policy{MaxItems: 9, MaxBytes: 256 << 20, MaxDelay: 20 * time.Millisecond, Target: time.Hour}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestOverIsAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawPolicy(t), drawPolicy(t), drawPolicy(t)
		if l, r := a.Overlay(b).Overlay(c), a.Overlay(b.Overlay(c)); l != r {
			t.Errorf("(a over b) over c = %+v, a over (b over c) = %+v", l, r)
		}
	})
}

func TestValidateReportsEverythingWrong(t *testing.T) {
	err := Policy{MaxItems: -1, MaxBytes: -1, MaxDelay: -1, Target: -1}.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"max_items", "max_bytes", "max_delay", "target"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%q does not name %s", err, field)
		}
	}
}

func TestPolicyAsText(t *testing.T) {
	want := Policy{MaxItems: 7, MaxDelay: 250 * time.Millisecond, Target: 90 * time.Second}

	t.Run("JSON", func(t *testing.T) {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(data); got != `{"max_items":7,"max_delay":"250ms","target":"1m30s"}` {
			t.Errorf("written as %s", got)
		}
		var got Policy
		if err := json.Unmarshal(data, &got); err != nil || got != want {
			t.Errorf("read back as %+v, %v", got, err)
		}
	})
	t.Run("JSON that is wrong", func(t *testing.T) {
		got := want
		err := json.Unmarshal([]byte(`{"max_delay":"soon","target":"later"}`), &got)
		if err == nil || !strings.Contains(err.Error(), "max_delay") || !strings.Contains(err.Error(), "target") {
			t.Errorf("error %v should name both fields", err)
		}
		if got != want {
			t.Errorf("changed to %+v all the same", got)
		}
	})
	t.Run("YAML", func(t *testing.T) {
		var got Policy
		if err := yaml.Unmarshal([]byte("max_items: 7\nmax_delay: 250ms\ntarget: 1m30s\n"), &got); err != nil || got != want {
			t.Errorf("read as %+v, %v", got, err)
		}
	})
}

func drawPolicy(t *rapid.T) Policy {
	return Policy{
		MaxItems: rapid.IntRange(0, 3).Draw(t, "max items"),
		MaxBytes: rapid.Int64Range(0, 3).Draw(t, "max bytes"),
		MaxDelay: time.Duration(rapid.IntRange(0, 3).Draw(t, "max delay")),
		Target:   time.Duration(rapid.IntRange(0, 3).Draw(t, "target")),
	}
}
