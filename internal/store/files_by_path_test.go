package store

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Paths are sorted to their last byte, also where a database compares only the first 1,024.
func TestFilesByPath(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.ended(t, "", 1, tasks.OutcomeSucceeded)
		long := "/in/" + strings.Repeat("d", 3500)
		paths := []string{long + "2", long + "1", "/in/" + strings.Repeat("d", 1500), "/in/b", "/in", "/in.b", "/other"}
		for i, path := range paths {
			row := newFileRow(tr.ID, &tasks.File{No: int64(i) + 100, Path: path})
			testkit.Must(t, b.db.Create(&row).Error)
		}
		var got []string
		for f, err := range b.FilesByPath(t.Context(), tr.ID, "/in") {
			testkit.Must(t, err)
			got = append(got, f.Path)
		}
		want := []string{"/in", "/in/b", paths[2], long + "1", long + "2"}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("it yields %d files: %.4000s", len(got), got)
		}
	})
}
