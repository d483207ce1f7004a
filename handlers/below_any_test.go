package handlers_test

import (
	"testing"

	"github.com/balerhq/baler/handlers"
)

// Files from anywhere go below one folder, and stay below it.
func TestBelowAny(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/srv/a/b": "srv/a/b", "//srv//a/": "srv/a", "/srv/../etc/x": "etc/x", "/": ""} {
		if got := handlers.BelowAny(path); got != want {
			t.Errorf("%s: %q, not %q", path, got, want)
		}
	}
}
