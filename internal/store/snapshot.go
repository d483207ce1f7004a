package store

import (
	"context"

	"github.com/balerhq/baler/internal/db"
)

// Snapshot calls do with a Store of the database as it is at this moment, which only reads.
// See the DB's Snapshot.
func (s *Store) Snapshot(ctx context.Context, do func(*Store) error) error {
	return s.db.Snapshot(ctx, func(d *db.DB) error { return do(&Store{db: d}) })
}
