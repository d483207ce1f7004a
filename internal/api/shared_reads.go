package api

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// readTimeout bounds one read that watchers share.
const readTimeout = 10 * time.Second

// sharedReads lets all who watch a transfer share one read of it in each interval, so that
// many of them cost the database no more than one.
type sharedReads struct {
	read func(ctx context.Context, uuid string) (tasks.Transfer, error)
	now  func() time.Time

	mu   sync.Mutex
	last map[string]*sharedRead // by the transfer's UUID
}

// sharedRead has t and err once done is closed.
type sharedRead struct {
	at   time.Time
	done chan struct{}
	t    tasks.Transfer
	err  error
}

// transfer returns a transfer as it is, or was at most one interval ago. Callers must not
// change it.
func (s *sharedReads) transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	s.mu.Lock()
	now := s.now()
	r := s.last[uuid]
	if r == nil || now.Sub(r.at) >= eventInterval || now.Before(r.at) {
		r = s.begin(ctx, uuid, now)
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.t, r.err
	case <-ctx.Done():
		return tasks.Transfer{}, ctx.Err()
	}
}

// begin starts a read, and forgets those that are over. The caller holds mu.
func (s *sharedReads) begin(ctx context.Context, uuid string, now time.Time) *sharedRead {
	if s.last == nil {
		s.last = make(map[string]*sharedRead)
	}
	for k, old := range s.last {
		if now.Sub(old.at) >= eventInterval {
			delete(s.last, k)
		}
	}
	r := &sharedRead{at: now, done: make(chan struct{})}
	s.last[uuid] = r
	go func() { // the client that has asked first may disconnect before the others
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		defer close(r.done)
		r.t, r.err = s.read(ctx, uuid)
	}()
	return r
}
