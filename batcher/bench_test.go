package batcher

import (
	"context"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func BenchmarkAdd(b *testing.B) {
	flush := func(context.Context, []int) error { return nil }
	for name, opts := range map[string]Options[int]{
		"default":    {},
		"eager":      {Eager: true},
		"4 flushers": {Flushers: 4},
		"weighed":    {Weigh: func(int) (int, int64) { return 1, 100 }},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			batcher := New(tasks.BatchPolicy{MaxItems: 500, MaxDelay: 10 * time.Millisecond}, flush, opts)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := batcher.Add(b.Context(), 1); err != nil {
						b.Error(err)
						return
					}
				}
			})
			testkit.Must(b, batcher.Close(context.Background()))
		})
	}
}

// BenchmarkAddAndWait is a group commit: 64 callers that each wait for theirs.
func BenchmarkAddAndWait(b *testing.B) {
	b.ReportAllocs()
	b.SetParallelism(32)
	flush := func(context.Context, []int) error { return nil }
	batcher := New(tasks.BatchPolicy{MaxItems: 500}, flush, Options[int]{Eager: true})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			f, err := batcher.Add(b.Context(), 1)
			if err != nil {
				b.Error(err)
				return
			}
			if err := f.Wait(b.Context()); err != nil {
				b.Error(err)
				return
			}
		}
	})
	testkit.Must(b, batcher.Close(context.Background()))
}
