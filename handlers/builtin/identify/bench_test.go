package identify

import (
	"context"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func BenchmarkIdentifyPNG(b *testing.B) {
	path := testkit.WriteFileIn(b, b.TempDir(), "a.png", pngFile(b))
	roots, err := handlers.NewRoots([]string{path})
	testkit.Must(b, err)
	testkit.CloseAtEnd(b, roots)
	h := New()
	b.ReportAllocs()
	for b.Loop() {
		testkit.Must(b, h.Handle(context.Background(), []*handlers.Job{handlers.NewJob(handlers.JobSpec{File: tasks.File{Path: path}, Opener: roots})}))
	}
}
