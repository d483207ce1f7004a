package store

import (
	"reflect"
	"testing"

	"github.com/balerhq/baler/tasks"
)

// Parts of one path are files of their own: read back as they were, and seen
// one by one by the next run.
func TestChunksOfAFile(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		files := []tasks.File{
			{Path: "/lines", Size: 10, Part: 1, Offset: 0, Line: 1},
			{Path: "/lines", Size: 7, Part: 2, Offset: 10, Line: 4},
			{Path: "/whole", Size: 3},
		}
		if err := b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: files, RunKey: "l"}); err != nil {
			t.Fatal(err)
		}
		got, err := b.Files(t.Context(), tr.ID, tasks.Ranges{{First: 1, Last: 3}})
		if err != nil || !reflect.DeepEqual(got, files) {
			t.Errorf("got %+v, %v", got, err)
		}
		third := tasks.File{Path: "/lines", Size: 5, Part: 3, Offset: 17, Line: 9}
		unseen, err := b.changed(t, "l", append(files, third))
		if err != nil || len(unseen) != 1 || unseen[0] != third {
			t.Errorf("unseen: %+v, %v", unseen, err)
		}
	})
}
