package tasks_test

import (
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestSeparator(t *testing.T) {
	t.Parallel()
	if got := tasks.Separator("s3://bucket/a"); got != "/" {
		t.Errorf("between the names of an object stands %q", got)
	}
	if got := tasks.Separator("a/b"); got != string(filepath.Separator) {
		t.Errorf("between the names of a file stands %q", got)
	}
}
