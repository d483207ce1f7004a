package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/store"
)

const (
	replicaPatience = 3 * time.Second // to wait for a mark in the replica
	replicaLook     = 50 * time.Millisecond
	replicaMost     = 30 * time.Second // a replica that is further behind is not read
)

// errNotReplicated is the error of a database that has none of the marks of another one.
var errNotReplicated = errors.New("it does not replicate database.url, or has not begun to")

// diagnoseReplica checks the replica that pages read. It leaves a mark in the database, which
// servers renew once a second while they read from a replica.
func (d *doctor) diagnoseReplica(ctx context.Context) []Check {
	if d.cfg.Database.ReplicaURL == "" {
		return nil
	}
	const name, unread = "replica", "; until then pages read the database itself"
	secure, err := d.cfg.Database.TLS.Load()
	if err != nil {
		return []Check{ill(name, StatusWarning, fmt.Errorf("database.%w", err), "correct database.tls"+unread)}
	}
	replica, err := store.Open(ctx, d.cfg.Database.ReplicaURL, store.Options{MaxConnections: 1, HostClock: d.now, Log: d.log, TLS: secure})
	if err != nil {
		return []Check{ill(name, StatusWarning, err, "start the replica, or correct database.replica_url"+unread)}
	}
	defer func() { _ = replica.Close() }() // nothing was written
	behind, err := d.replicaLag(ctx, replica)
	switch {
	case errors.Is(err, errNotReplicated):
		return []Check{ill(name, StatusWarning, fmt.Errorf("%s: %w", replica.Describe(), err),
			"look at SHOW REPLICA STATUS there, and whether it replicates this database"+unread)}
	case err != nil:
		return []Check{ill(name, StatusWarning, fmt.Errorf("%s: %w", replica.Describe(), err),
			"grant this account the right to read the database there"+unread)}
	case behind > replicaMost:
		return []Check{{name, StatusWarning, fmt.Sprintf("%s is %s behind", replica.Describe(), behind.Round(time.Second)),
			"look at SHOW REPLICA STATUS there: it must keep up" + unread}}
	case behind > replicaPatience:
		return []Check{{name, StatusWarning, fmt.Sprintf("%s is %s behind", replica.Describe(), behind.Round(time.Second)),
			"pages say how far they are behind; a faster disk or parallel replication lets the replica keep up"}}
	}
	return []Check{well(name, "%s, less than %s behind", replica.Describe(), max(behind, replicaLook).Round(time.Millisecond))}
}

// replicaLag writes a mark, and returns how long it takes to arrive in the replica, or how old
// the newest mark there is when it does not arrive soon.
func (d *doctor) replicaLag(ctx context.Context, replica *store.Store) (time.Duration, error) {
	began := time.Now()
	maker, err := d.store.MarkReplication(ctx)
	if err != nil {
		return 0, err
	}
	marked, err := d.store.ReplicatedUntil(ctx, d.store, maker)
	if err != nil {
		return 0, err
	}
	for {
		at, err := d.store.ReplicatedUntil(ctx, replica, maker)
		switch {
		case err != nil:
			return 0, err
		case !at.IsZero() && !at.Before(marked):
			return time.Since(began), nil
		case time.Since(began) < replicaPatience && sleep.For(ctx, replicaLook) == nil:
			continue
		case at.IsZero():
			return 0, errNotReplicated
		}
		return d.store.Now().Sub(at), nil
	}
}
