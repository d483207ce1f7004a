package store

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestPathThatNothingOpensIsRecordedAgainstItsFile(t *testing.T) {
	long := newFileRow(1, &tasks.File{No: 7, Path: "/" + strings.Repeat("d/", 3000)})
	if len(long.Path) != pathMost || !strings.HasPrefix(long.Problem, "name-too-long: ") {
		t.Errorf("a path of 6,001 bytes becomes %d bytes, problem %q", len(long.Path), long.Problem)
	}
	if ok := newFileRow(1, &tasks.File{No: 7, Path: "/" + strings.Repeat("d", pathMost-1)}); ok.Problem != "" {
		t.Errorf("a path of 4,096 bytes has problem %q", ok.Problem)
	}
}
