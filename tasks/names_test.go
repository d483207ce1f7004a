package tasks_test

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestCheckQueue(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"": true, "low": true, strings.Repeat("é", 64): true, strings.Repeat("q", 65): false, " ": false, "\xff": false,
	} {
		if err := tasks.CheckQueue(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestCheckIdempotencyKey(t *testing.T) {
	t.Parallel()
	for key, ok := range map[string]bool{
		"": true, strings.Repeat("k", 255): true, strings.Repeat("k", 256): false, strings.Repeat("é", 128): false, "\xff": true,
	} {
		if err := tasks.CheckIdempotencyKey(key); (err == nil) != ok {
			t.Errorf("%q: %v", key, err)
		}
	}
}
