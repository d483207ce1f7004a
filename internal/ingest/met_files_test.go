package ingest

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/tasks"
)

func TestMetFilesAreASet(t *testing.T) {
	t.Parallel()
	key := rapid.Custom(func(t *rapid.T) tasks.FileKey {
		return tasks.FileKey{Transfer: rapid.Int64Range(1, 3).Draw(t, "transfer"), File: rapid.Int64Range(1, 200).Draw(t, "file")}
	})
	rapid.Check(t, func(t *rapid.T) {
		var m metFiles
		want := make(map[tasks.FileKey]bool)
		for _, k := range rapid.SliceOf(key).Draw(t, "met") {
			m.add(k)
			want[k] = true
		}
		if k := key.Draw(t, "asked"); m.has(k) != want[k] {
			t.Errorf("%v: %v, want %v", k, m.has(k), want[k])
		}
		if m.n != int64(len(want)) {
			t.Errorf("%d files, want %d", m.n, len(want))
		}
	})
}
