package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

const (
	registerPoll     = 5 * time.Second // between two looks for transfers that a dead server has left
	registerAttempts = 3               // of a transfer, until it is stopped
	registerAtOnce   = 4               // transfers whose files a server registers side by side
)

// ServerRegistrar registers the files of transfers that were submitted to a server: those
// that Start names at once, and those whose server has died when that has been silent for
// long enough. Any number of servers may run one. Make one with NewServerRegistrar.
type ServerRegistrar struct {
	ingester *Ingester
	leftOut  OutputFinder
	started  chan tasks.Transfer

	mu       sync.Mutex
	failures map[int64]int // by transfer, until it is stopped
}

// NewServerRegistrar makes a ServerRegistrar.
func NewServerRegistrar(g *Ingester, leftOut OutputFinder) *ServerRegistrar {
	return &ServerRegistrar{ingester: g, leftOut: leftOut, failures: make(map[int64]int), started: make(chan tasks.Transfer, registerAtOnce)}
}

// Start has the files of a transfer registered that the caller has just created. When
// many are being registered, it is left until its silence is noticed.
func (s *ServerRegistrar) Start(t tasks.Transfer) {
	select {
	case s.started <- t:
	default:
	}
}

// Run registers files until ctx ends. Another server registers the remaining files, or this
// one when it runs again.
func (s *ServerRegistrar) Run(ctx context.Context) error {
	var busy sync.WaitGroup
	defer busy.Wait()
	slots := make(chan struct{}, registerAtOnce)
	begin := func(t tasks.Transfer) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		busy.Go(func() {
			defer func() { <-slots }()
			s.register(ctx, t)
		})
	}
	watch := outage.New(s.ingester.log, outage.Database, "look for transfers to register")
	ticker := time.NewTicker(registerPoll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case t := <-s.started:
			begin(t)
		case <-ticker.C:
			left, err := s.abandoned(ctx)
			if watch.Done(ctx, err) != nil {
				continue
			}
			for _, t := range left {
				begin(t)
			}
		}
	}
}

// abandoned takes over transfers whose server is dead.
func (s *ServerRegistrar) abandoned(ctx context.Context) (taken []tasks.Transfer, err error) {
	left, err := s.ingester.store.ServerIntake(ctx, registerAtOnce)
	if err != nil {
		return nil, err
	}
	for i := range left {
		ok, err := s.ingester.store.TakeOver(ctx, left[i].ID)
		if err != nil {
			return taken, err
		}
		if ok {
			taken = append(taken, left[i])
		}
	}
	return taken, nil
}

// register registers the rest of a transfer's files. After an error, it is tried again once
// the transfer has had no heartbeat for long enough.
func (s *ServerRegistrar) register(ctx context.Context, t tasks.Transfer) {
	_, err := s.ingester.RegisterRest(ctx, t, s.leftOut, nil)
	log := s.ingester.log.With("transfer", t.UUID)
	switch {
	case err == nil:
		s.forget(t.ID)
	case ctx.Err() != nil, errors.Is(err, store.ErrProducerConflict), errors.Is(err, store.ErrSealed):
		log.DebugContext(ctx, "registering the files of a transfer is left to another server", "error", err)
	case !db.IsOutage(err) && s.failedAgain(t.ID):
		s.stop(ctx, &t, err)
	default:
		log.Log(ctx, outage.Level(err), "registering the files of a transfer failed; it continues in half a minute", "error", err)
	}
}

// failedAgain counts a failure, and reports whether a transfer has failed too often to be
// tried again.
func (s *ServerRegistrar) failedAgain(transfer int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[transfer]++
	if s.failures[transfer] < registerAttempts {
		return false
	}
	delete(s.failures, transfer)
	return true
}

func (s *ServerRegistrar) forget(transfer int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failures, transfer)
}

// stop pauses a transfer whose files cannot be registered, with the reason, which status shows.
func (s *ServerRegistrar) stop(ctx context.Context, t *tasks.Transfer, why error) {
	_, err := s.ingester.store.Stop(ctx, t.ID, fmt.Sprintf("its files cannot be registered: %v", why))
	s.ingester.log.ErrorContext(ctx, "the files of a transfer cannot be registered: it is paused until a person resumes it",
		"transfer", t.UUID, "error", errors.Join(why, err))
}
