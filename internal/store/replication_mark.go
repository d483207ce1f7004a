package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
)

// replicationMark is the name of the lease that servers renew while they read from a replica.
// Its end tells there how old the replica is, which needs no right of replication.
const replicationMark = "replication mark"

// MarkReplication writes the present time where ReplicatedUntil reads it, and returns who has
// made the first mark in this database, which no other database has.
func (s *Store) MarkReplication(ctx context.Context) (maker string, err error) {
	err = s.db.Write(ctx, "mark replication", func(tx *gorm.DB, now time.Time) error {
		mark := &leaseRow{Name: replicationMark, Holder: rand.Text(), Until: now}
		err := tx.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"until"}),
		}).Create(mark).Error
		if err != nil {
			return err
		}
		return tx.Model(mark).Where("name = ?", replicationMark).Pluck("holder", &maker).Error
	})
	return maker, err
}

// ReplicatedUntil returns the time of the newest mark of a maker in a replica; zero when there
// is none yet, or the mark is that of another database.
func (s *Store) ReplicatedUntil(ctx context.Context, replica *Store, maker string) (time.Time, error) {
	var rows []leaseRow
	q := s.db.Session(db.OnReplica(ctx, replica.db)).Where("name = ? AND holder = ?", replicationMark, maker)
	if err := q.Find(&rows).Error; err != nil {
		return time.Time{}, fmt.Errorf("read the replication mark: %w", err)
	}
	if len(rows) == 0 {
		return time.Time{}, nil
	}
	return rows[0].Until.UTC(), nil
}
