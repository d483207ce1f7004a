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
	news map[string]*freshReads // the same
}

// freshReads is a read that runs, and the one that begins after it, if anybody waits for it.
type freshReads struct{ running, next *sharedRead }

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
	r := newSharedRead()
	r.at = now
	s.last[uuid] = r
	go func() { // the client that has asked first may disconnect before the others
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		defer close(r.done)
		r.t, r.err = s.read(ctx, uuid)
	}()
	return r
}

// fresh returns a transfer as it is now: by a read that has begun after the call. Many who ask
// at the same time, as after the start of a server, wait for the same one. Callers must not change the transfer.
func (s *sharedReads) fresh(ctx context.Context, uuid string) (tasks.Transfer, error) {
	r := s.nextRead(ctx, uuid)
	select {
	case <-r.done:
		return r.t, r.err
	case <-ctx.Done():
		return tasks.Transfer{}, ctx.Err()
	}
}

// nextRead returns the next read of a transfer that begins.
func (s *sharedReads) nextRead(ctx context.Context, uuid string) *sharedRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.news[uuid]
	if f == nil {
		f = &freshReads{running: newSharedRead()}
		if s.news == nil {
			s.news = make(map[string]*freshReads)
		}
		s.news[uuid] = f
		go s.readNews(context.WithoutCancel(ctx), uuid, f)
		return f.running
	}
	if f.next == nil {
		f.next = newSharedRead()
	}
	return f.next
}

// readNews reads a transfer as long as anybody waits for it.
func (s *sharedReads) readNews(ctx context.Context, uuid string, f *freshReads) {
	for r := f.running; r != nil; r = s.after(uuid, f) {
		reading, cancel := context.WithTimeout(ctx, readTimeout)
		r.t, r.err = s.read(reading, uuid)
		cancel()
		close(r.done)
	}
}

// after begins the next read of a transfer, and forgets the transfer when nobody waits for one.
func (s *sharedReads) after(uuid string, f *freshReads) *sharedRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.running, f.next = f.next, nil; f.running == nil {
		delete(s.news, uuid)
	}
	return f.running
}

func newSharedRead() *sharedRead { return &sharedRead{done: make(chan struct{})} }
