package loglevel

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLevelChangesWhileTheLoggerIsUsed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	s := New(slog.New(slog.NewTextHandler(&out, nil)))
	log := s.Log.With("batch", 7) // made before the change
	log.Debug("one")
	s.Set(t.Context(), nil) // as it is: says nothing
	if out.Len() > 0 {
		t.Fatalf("it logged %q", out.String())
	}
	s.Toggle(t.Context())
	log.Debug("two")
	s.Toggle(t.Context())
	log.Debug("three")
	level, err := Parse("error")
	if err != nil {
		t.Fatal(err)
	}
	s.Set(t.Context(), level)
	s.Set(t.Context(), level)
	log.Warn("four")
	log.Error("five")
	got := out.String()
	for text, n := range map[string]int{
		"msg=two batch=7": 1, "msg=three": 0, "msg=four": 0, "msg=five": 1, "log level changed": 3, "level=debug": 1, "level=configured": 1, "level=error": 1,
	} {
		if strings.Count(got, text) != n {
			t.Errorf("%d times %q, want %d, in\n%s", strings.Count(got, text), text, n, got)
		}
	}
	if _, err := Parse("loud"); err == nil || !strings.Contains(err.Error(), `"loud" is no level`) {
		t.Error(err)
	}
}
