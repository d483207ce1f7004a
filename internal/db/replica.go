package db

import (
	"context"

	"gorm.io/gorm"
)

type replicaKey struct{}

// OnReplica returns a context under which Session reads from a replica of the
// database, which may be behind it. Whatever writes uses the database itself all the same.
func OnReplica(ctx context.Context, replica *DB) context.Context {
	return context.WithValue(ctx, replicaKey{}, replica)
}

// OnPrimary undoes OnReplica and ReadUncommitted.
func OnPrimary(ctx context.Context) context.Context { return OnReplica(ReadCommitted(ctx), nil) }

// Replicated reports whether ctx reads from a replica.
func Replicated(ctx context.Context) bool { return replicaOf(ctx) != nil }

func replicaOf(ctx context.Context) *DB {
	replica, _ := ctx.Value(replicaKey{}).(*DB) // nil when there is none
	return replica
}

// reader has the connections that reads under ctx use.
func (d *DB) reader(ctx context.Context) *gorm.DB {
	if replica := replicaOf(ctx); replica != nil {
		d = replica
	}
	if Uncommitted(ctx) && d.uncommitted != nil {
		return d.uncommitted
	}
	return d.gorm
}
