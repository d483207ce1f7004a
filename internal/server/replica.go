package server

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/store"
)

// How a server looks at its replica.
const (
	replicaInterval = time.Second      // between two looks
	replicaTimeout  = 2 * time.Second  // of one look
	replicaShown    = 3 * time.Second  // a lag up to this is that of looking
	replicaMost     = 30 * time.Second // a replica that is further behind is not read
)

// errNotReplicated says that a replica has not got what this server has written.
var errNotReplicated = errors.New("it has none of the marks that this server writes: it does not replicate this database, or not yet")

// replica is a copy of the database that another server keeps up to date. Pages read from it
// while it answers and is not far behind.
type replica struct {
	url     string
	options store.Options
	primary *store.Store
	watch   *outage.Watch

	copy  *store.Store // nil until it has answered once
	maker string       // of the marks in the database; empty until it was marked once
	state atomic.Pointer[replicaState]
}

type replicaState struct {
	reading *db.DB // nil: pages read the database itself
	notice  string // for people; empty: nothing is to be said
	lag     time.Duration
}

// newReplica returns nil when there is none.
func (b *Backend) newReplica() (*replica, error) {
	if b.Database.ReplicaURL == "" {
		return nil, nil //nolint:nilnil // none is set
	}
	secure, err := b.Database.TLS.Load()
	if err != nil {
		return nil, fmt.Errorf("database.%w", err)
	}
	r := &replica{
		url: b.Database.ReplicaURL, primary: b.Store, watch: outage.New(b.Log, "the replica of the database", "show pages"),
		options: store.Options{MaxConnections: b.Database.MaxConnections, Log: b.Log, TLS: secure},
	}
	r.state.Store(&replicaState{notice: "The replica of the database was not looked at yet."})
	return r, nil
}

// Run looks at the replica until ctx ends.
func (r *replica) Run(ctx context.Context) {
	defer func() {
		r.state.Store(&replicaState{})
		if r.copy != nil {
			_ = r.copy.Close() // nothing was written
		}
	}()
	for {
		lag, err := r.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			_ = r.watch.Failed(ctx, err) // logged
		default:
			r.watch.Answered(ctx)
		}
		r.note(lag, err)
		if sleep.For(ctx, replicaInterval) != nil {
			return
		}
	}
}

// look measures how far the replica is behind.
func (r *replica) look(ctx context.Context) (lag time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, replicaTimeout)
	defer cancel()
	if r.copy == nil {
		if r.copy, err = store.Open(ctx, r.url, r.options); err != nil {
			r.copy = nil
			return 0, err
		}
	}
	// A database that is away for writing says so elsewhere; the mark then only gets older.
	maker, marked := r.primary.MarkReplication(ctx)
	if marked == nil {
		r.maker = maker
	}
	at, err := r.primary.ReplicatedUntil(ctx, r.copy, r.maker)
	switch {
	case err != nil:
		return 0, err
	case at.IsZero():
		return 0, errors.Join(errNotReplicated, marked)
	}
	return max(0, r.primary.Now().Sub(at)), nil
}

// note decides from where pages read until the next look.
func (r *replica) note(lag time.Duration, err error) {
	s := &replicaState{lag: lag}
	switch {
	case err != nil:
		s.notice = "The replica of the database is away: pages read the database itself."
	case lag > replicaMost:
		s.notice = fmt.Sprintf("The replica of the database is %s behind: pages read the database itself.", lag.Round(time.Second))
	default:
		s.reading = r.copy.DB()
		if lag > replicaShown {
			s.notice = fmt.Sprintf("This page is up to %s behind: it reads a replica of the database.", lag.Round(time.Second))
		}
	}
	r.state.Store(s)
}

// Read implements web.Replica.
func (r *replica) Read(ctx context.Context) (reading context.Context, notice string, lag time.Duration) {
	s := r.state.Load()
	if s.reading == nil {
		return ctx, s.notice, 0
	}
	return db.OnReplica(ctx, s.reading), s.notice, s.lag
}
