// Package invoke runs a function of a handler, and turns its panic into an error.
package invoke

import (
	"context"
	"errors"
	"time"
)

// Go runs a handler on a goroutine of its own, so that the caller need not wait for a
// handler that ignores its context. The channel receives once: the handler's error, or
// its panic as an error.
func Go(handle func() error) <-chan error {
	returned := make(chan error, 1)
	go func() {
		err := ErrGoexit
		defer func() {
			if r := recover(); r != nil {
				err = NewPanicError(r)
			}
			returned <- err
		}()
		err = handle()
	}()
	return returned
}

// DefaultPatience is how long a function of a handler may run after its context has ended,
// before nothing waits for it any more.
const DefaultPatience = 5 * time.Second

// Wait returns the error that Go's channel receives. After ctx has ended it waits for at
// most patience; then it leaves the handler running and returns the error of ctx.
func Wait(ctx context.Context, returned <-chan error, patience time.Duration) (leftAlone bool, err error) {
	select {
	case err := <-returned:
		return false, err
	case <-ctx.Done():
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case err := <-returned:
		return false, err
	case <-t.C:
		return true, ctx.Err()
	}
}

// ErrGoexit stands for a function that ended its goroutine instead of returning.
var ErrGoexit = errors.New("the handler ended its goroutine (runtime.Goexit) instead of returning")
