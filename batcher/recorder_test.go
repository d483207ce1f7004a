package batcher

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"
)

// recorder is a flush that keeps what it got, and when.
type recorder struct {
	mu      sync.Mutex
	start   time.Time
	batches [][]int
	at      []time.Duration
	reasons []Reason
	hold    chan struct{} // when not nil, a flush takes a value before it ends
}

func newRecorder() *recorder { return &recorder{start: time.Now()} }

func (r *recorder) flush(ctx context.Context, items []int) error {
	r.mu.Lock()
	r.batches = append(r.batches, items)
	r.at = append(r.at, time.Since(r.start))
	r.mu.Unlock()
	if r.hold == nil {
		return nil
	}
	select {
	case <-r.hold:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *recorder) observe(reason Reason, _ int, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reasons = append(r.reasons, reason)
}

func (r *recorder) want(t *testing.T, batches ...[]int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.EqualFunc(r.batches, batches, slices.Equal[[]int]) {
		t.Errorf("flushed %v, want %v", r.batches, batches)
	}
}

func (r *recorder) wantReasons(t *testing.T, reasons ...Reason) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.reasons, reasons) {
		t.Errorf("reasons %v, want %v", r.reasons, reasons)
	}
}

func (r *recorder) wantAt(t *testing.T, at ...time.Duration) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.at, at) {
		t.Errorf("flushed at %v, want %v", r.at, at)
	}
}

func add(t *testing.T, b *Batcher[int], items ...int) []*Future {
	t.Helper()
	var futures []*Future
	for _, i := range items {
		f, err := b.Add(t.Context(), i)
		if err != nil {
			t.Fatalf("add %d: %v", i, err)
		}
		futures = append(futures, f)
	}
	return futures
}

func closeBatcher(t *testing.T, b *Batcher[int]) {
	t.Helper()
	if err := b.Close(context.Background()); err != nil {
		t.Errorf("close: %v", err)
	}
}
