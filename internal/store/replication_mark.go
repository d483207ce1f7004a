package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
)

// replicationMark is the name of the lease that servers renew while they read from a replica.
// Its end tells there how old the replica is, which needs no right of replication.
const replicationMark = "replication mark"

// MarkReplication writes the present time where ReplicatedUntil reads it.
func (s *Store) MarkReplication(ctx context.Context) error {
	return s.db.Write(ctx, "mark replication", func(tx *gorm.DB, now time.Time) error {
		return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&leaseRow{Name: replicationMark, Holder: "serve", Until: now}).Error
	})
}

// ReplicatedUntil returns the time of the newest mark in a replica; zero when there is none
// yet.
func (s *Store) ReplicatedUntil(ctx context.Context, replica *Store) (time.Time, error) {
	var rows []leaseRow
	if err := s.db.Session(db.OnReplica(ctx, replica.db)).Where("name = ?", replicationMark).Find(&rows).Error; err != nil {
		return time.Time{}, fmt.Errorf("read the replication mark: %w", err)
	}
	if len(rows) == 0 {
		return time.Time{}, nil
	}
	return rows[0].Until.UTC(), nil
}
