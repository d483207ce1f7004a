package batcher

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestDelayCountsFromTheFirstItemOfEachBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		b := New(tasks.BatchPolicy{MaxItems: 2, MaxDelay: 10 * time.Millisecond}, r.flush, Options[int]{Observe: r.observe})
		add(t, b, 1, 2) // full at once; the timer that it set fires later, without effect
		time.Sleep(4 * time.Millisecond)
		f := add(t, b, 3)
		if err := f[0].Wait(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(20 * time.Millisecond)
		add(t, b, 4)
		time.Sleep(3 * time.Millisecond)
		closeBatcher(t, b)

		r.want(t, []int{1, 2}, []int{3}, []int{4})
		r.wantAt(t, 0, 14*time.Millisecond, 37*time.Millisecond)
		r.wantReasons(t, ReasonItems, ReasonDelay, ReasonClose)
	})
}

func TestADueBatchKeepsFillingWhileNoFlusherIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 3, MaxDelay: time.Millisecond}, r.flush, Options[int]{Observe: r.observe, Capacity: 99})
		add(t, b, 1)
		time.Sleep(2 * time.Millisecond) // 1 is being flushed
		add(t, b, 2)
		time.Sleep(2 * time.Millisecond) // 2 is due
		add(t, b, 3)
		close(r.hold)
		synctest.Wait()
		closeBatcher(t, b)
		r.want(t, []int{1}, []int{2, 3})
		r.wantReasons(t, ReasonDelay, ReasonDelay)
	})
}

func TestEagerGathersWhileAFlushRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 4, MaxDelay: time.Hour}, r.flush, Options[int]{Observe: r.observe, Eager: true, Capacity: 99})
		add(t, b, 1)
		synctest.Wait()
		r.want(t, []int{1})
		add(t, b, 2, 3, 4, 5, 6, 7)
		synctest.Wait()
		r.want(t, []int{1})
		close(r.hold)
		synctest.Wait()
		r.want(t, []int{1}, []int{2, 3, 4, 5}, []int{6, 7})
		r.wantReasons(t, ReasonIdle, ReasonItems, ReasonIdle)
		r.wantAt(t, 0, 0, 0)
		closeBatcher(t, b)
	})
}

func TestFlushersRunAtOnceButNoMoreOfThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 1}, r.flush, Options[int]{Flushers: 2, Capacity: 9})
		add(t, b, 1, 2, 3)
		synctest.Wait()
		r.mu.Lock()
		if len(r.batches) != 2 {
			t.Errorf("%d flushes at once, want 2", len(r.batches))
		}
		r.mu.Unlock()
		close(r.hold)
		closeBatcher(t, b)
	})
}

func TestAnItemAboveMaxBytesGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		b := New(tasks.BatchPolicy{MaxBytes: 10}, r.flush, Options[int]{
			Weigh:   func(i int) (int, int64) { return 1, int64(i) },
			Observe: r.observe,
		})
		add(t, b, 1, 2, 99, 3, 4)
		closeBatcher(t, b)
		r.want(t, []int{1, 2}, []int{99}, []int{3, 4})
		r.wantReasons(t, ReasonBytes, ReasonBytes, ReasonClose)
	})
}

func TestAddBlocksWhileFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 2, MaxDelay: time.Hour}, r.flush, Options[int]{Capacity: 3, Observe: r.observe})
		add(t, b, 1, 2, 3)
		entered := false
		go func() {
			if _, err := b.Add(t.Context(), 4); err != nil {
				t.Error(err)
			}
			entered = true
		}()
		synctest.Wait()
		if entered {
			t.Error("a full batcher took an item")
		}
		r.hold <- struct{}{}
		synctest.Wait()
		if !entered {
			t.Error("room was made, and Add still blocks")
		}
		close(r.hold)
		closeBatcher(t, b)
		r.want(t, []int{1, 2}, []int{3, 4})
	})
}

func TestABatchLargerThanTheCapacityDoesNotWaitForTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		b := New(tasks.BatchPolicy{MaxItems: 100, MaxDelay: time.Hour}, r.flush, Options[int]{
			Capacity: 2,
			Weigh:    func(i int) (int, int64) { return i, 0 },
			Observe:  r.observe,
		})
		add(t, b, 1, 1, 1, 50, 1)
		closeBatcher(t, b)
		r.want(t, []int{1, 1}, []int{1}, []int{50}, []int{1})
		r.wantReasons(t, ReasonItems, ReasonItems, ReasonItems, ReasonClose)
		r.wantAt(t, 0, 0, 0, 0)
	})
}

func TestABlockedAddHonoursItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 5}, r.flush, Options[int]{
			Capacity: 5,
			Weigh:    func(i int) (int, int64) { return i, 0 },
		})
		add(t, b, 4)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		behind, overtaken := make(chan error), false
		go func() {
			time.Sleep(time.Microsecond)
			_, err := b.Add(t.Context(), 1)
			overtaken = ctx.Err() == nil
			behind <- err
		}()
		if _, err := b.Add(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Add returned %v", err)
		}
		if err := <-behind; err != nil {
			t.Errorf("an Add behind it that needs less room: %v", err)
		}
		if overtaken {
			t.Error("an Add that needs less room did not wait behind it")
		}
		if _, err := b.Add(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Add with a context that has ended returned %v", err)
		}
		close(r.hold)
		closeBatcher(t, b)
		r.want(t, []int{4}, []int{1})
	})
}

func TestFlushForcesAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		r.hold = make(chan struct{})
		b := New(tasks.BatchPolicy{MaxItems: 2, MaxDelay: time.Hour}, r.flush, Options[int]{Observe: r.observe, Capacity: 9})
		f := add(t, b, 1, 2, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush returned %v while the flushes were still running", err)
		}
		if err := f[2].Err(); err != nil {
			t.Errorf("an unfinished future has an error: %v", err)
		}
		close(r.hold)
		if err := b.Flush(t.Context()); err != nil {
			t.Errorf("Flush: %v", err)
		}
		select {
		case <-f[2].Done():
		default:
			t.Error("Flush returned before an item was flushed")
		}
		r.want(t, []int{1, 2}, []int{3})
		r.wantReasons(t, ReasonItems, ReasonForced)
		closeBatcher(t, b)
	})
}

func TestWaitHonoursItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecorder()
		b := New(tasks.BatchPolicy{MaxDelay: time.Hour}, r.flush, Options[int]{})
		f := add(t, b, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := f[0].Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Wait returned %v", err)
		}
		closeBatcher(t, b)
		if err := f[0].Wait(ctx); err != nil {
			t.Errorf("Wait returned %v though the flush ended well", err)
		}
		if waited := time.Since(r.start); waited > 0 {
			t.Errorf("Close waited %v for a timer", waited)
		}
	})
}

func TestAFlushThatFailsInAnyWayFailsItsOwnItemsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(tasks.BatchPolicy{MaxItems: 2}, func(_ context.Context, items []int) error {
			switch items[0] {
			case 1:
				panic(io.ErrClosedPipe)
			case 3:
				runtime.Goexit()
			case 5:
				return io.EOF
			case 7:
				var each ItemErrors
				each.Set(1, io.ErrNoProgress)
				return each.Err()
			}
			return nil
		}, Options[int]{})
		f := add(t, b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
		closeBatcher(t, b)
		for i, want := range []error{
			io.ErrClosedPipe, io.ErrClosedPipe, errExited, errExited, io.EOF, io.EOF, nil, io.ErrNoProgress, nil, nil,
		} {
			if err := f[i].Wait(t.Context()); !errors.Is(err, want) {
				t.Errorf("item %d: %v, want %v", i+1, err, want)
			}
		}
		var p *PanicError
		if !errors.As(f[0].Err(), &p) || len(p.Stack) == 0 {
			t.Error("the panic's error does not say where it was")
		}
	})
}
