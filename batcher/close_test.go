package batcher

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestCloseRefusesBlockedAdds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 1}, r.flush, Options[int]{Capacity: 1})
		add(t, b, 1)
		blocked := make(chan error, 1)
		go func() {
			_, err := b.Add(t.Context(), 2)
			blocked <- err
		}()
		synctest.Wait()
		go closeBatcher(t, b)
		if err := <-blocked; !errors.Is(err, ErrClosed) {
			t.Errorf("the blocked Add returned %v", err)
		}
		close(r.hold)
		closeBatcher(t, b)
		closeBatcher(t, b)
		if _, err := b.Add(t.Context(), 3); !errors.Is(err, ErrClosed) {
			t.Errorf("Add after Close returned %v", err)
		}
		r.want(t, []int{1})
	})
}

func TestCloseOfAnUnusedBatcher(t *testing.T) {
	b := New(tasks.BatchPolicy{}, newRecorder().flush, Options[int]{})
	closeBatcher(t, b)
	if err := b.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCloseWhoseContextEndsCancelsTheFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 1}, r.flush, Options[int]{})
		f := add(t, b, 1, 2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close returned %v", err)
		}
		closeBatcher(t, b)
		for i := range f {
			if err := f[i].Err(); !errors.Is(err, context.Canceled) {
				t.Errorf("future %d: %v", i, err)
			}
		}
	})
}
