package checksum

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A second's worth of 4 KiB files, as a preservation backlog has them.
func BenchmarkChecksum4KiB(b *testing.B) {
	dir := b.TempDir()
	var files []tasks.File
	for i := range 500 {
		path := testkit.WriteFileIn(b, dir, fmt.Sprintf("%d/%d", i%10, i), strings.Repeat("x", 4096))
		files = append(files, tasks.File{No: int64(i) + 1, Path: path, Size: 4096})
	}
	roots := rootsOf(b, dir)
	h := New()
	b.ReportAllocs()
	for b.Loop() {
		jobs := make([]*handlers.Job, len(files))
		for i := range files {
			jobs[i] = handlers.NewJob(handlers.JobSpec{File: files[i], Opener: roots})
		}
		testkit.Must(b, h.Handle(context.Background(), jobs))
	}
	b.ReportMetric(float64(b.N*len(files))/b.Elapsed().Seconds(), "files/s")
}

func BenchmarkChecksumLarge(b *testing.B) {
	path := testkit.WriteFileIn(b, b.TempDir(), "f", strings.Repeat("0123456789abcdef", 4<<20))
	roots := rootsOf(b, path)
	h := New()
	b.SetBytes(64 << 20)
	for b.Loop() {
		testkit.Must(b, h.Handle(context.Background(), []*handlers.Job{handlers.NewJob(handlers.JobSpec{File: tasks.File{Path: path}, Opener: roots})}))
	}
}
