package handlers

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

// What a job costs beside its work.
func BenchmarkJob(b *testing.B) {
	h := newNoop()
	jobs := make([]*Job, 1)
	b.ReportAllocs()
	for b.Loop() {
		jobs[0] = newJob(jobSpec{file: tasks.File{No: 1, Path: "/a/b", Size: 1}, step: 1, attempt: 1, worker: "w"})
		if err := h.Handle(context.Background(), jobs); err != nil {
			b.Fatal(err)
		}
		if r := jobs[0].result(); r.Outcome != tasks.OutcomeSucceeded {
			b.Fatal(r.Outcome)
		}
	}
}

// A second's worth of 4 KiB files, as a preservation backlog has them.
func BenchmarkChecksum4KiB(b *testing.B) {
	dir := b.TempDir()
	var files []tasks.File
	for i := range 500 {
		path := put(b, dir, fmt.Sprintf("%d/%d", i%10, i), strings.Repeat("x", 4096))
		files = append(files, tasks.File{No: int64(i) + 1, Path: path, Size: 4096})
	}
	roots := rootsOf(b, dir)
	h := newChecksum()
	b.ReportAllocs()
	for b.Loop() {
		jobs := make([]*Job, len(files))
		for i := range files {
			jobs[i] = newJob(jobSpec{file: files[i], opener: roots})
		}
		if err := h.Handle(context.Background(), jobs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(files))/b.Elapsed().Seconds(), "files/s")
}

func BenchmarkChecksumLarge(b *testing.B) {
	path := put(b, b.TempDir(), "f", strings.Repeat("0123456789abcdef", 4<<20))
	roots := rootsOf(b, path)
	h := newChecksum()
	b.SetBytes(64 << 20)
	for b.Loop() {
		if err := h.Handle(context.Background(), []*Job{newJob(jobSpec{file: tasks.File{Path: path}, opener: roots})}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIdentifyPNG(b *testing.B) {
	path := put(b, b.TempDir(), "a.png", pngFile(b))
	roots := rootsOf(b, path)
	h := newIdentify()
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Handle(context.Background(), []*Job{newJob(jobSpec{file: tasks.File{Path: path}, opener: roots})}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCapture(b *testing.B) {
	line := []byte("a line of a tool's output, as there are many\n")
	c := newCapture(0)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		c.write(line)
	}
}
