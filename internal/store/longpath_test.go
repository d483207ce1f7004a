package store

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestPathThatNothingOpensIsRecordedAgainstItsFile(t *testing.T) {
	long := newFileRow(1, &tasks.File{No: 7, Path: "/" + strings.Repeat("d/", 3000)})
	if len(long.Path) != maxPath || !strings.HasPrefix(long.ScanError, "name-too-long: ") {
		t.Errorf("a path of 6,001 bytes becomes %d bytes, problem %q", len(long.Path), long.ScanError)
	}
	if ok := newFileRow(1, &tasks.File{No: 7, Path: "/" + strings.Repeat("d", maxPath-1)}); ok.ScanError != "" {
		t.Errorf("a path of 4,096 bytes has problem %q", ok.ScanError)
	}
}
