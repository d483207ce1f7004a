package store

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// SetClockShift records by how much the clock was set forward while a transfer ran, or
// back when it is negative.
func (s *Store) SetClockShift(ctx context.Context, transfer int64, shift time.Duration) error {
	return s.db.Write(ctx, "set clock shift", func(tx *gorm.DB, _ time.Time) error {
		return tx.Exec("UPDATE transfers SET clock_shift = ? WHERE id = ?", shift.Microseconds(), transfer).Error
	})
}

// NoteClockSet records that the clock was set forward, or back when by is negative. It
// applies to the transfers that were running then: that had been created by the clock as
// it was before, until, and have not ended by it. since is an earlier time of that clock,
// before it was set.
func (s *Store) NoteClockSet(ctx context.Context, by time.Duration, since, until time.Time) error {
	since, until = since.UTC().Truncate(time.Microsecond), until.UTC().Truncate(time.Microsecond)
	set := func(tx *gorm.DB, where string, args ...any) error {
		return tx.Exec("UPDATE transfers SET clock_shift = clock_shift + ? WHERE "+where, append([]any{by.Microseconds()}, args...)...).Error
	}
	return s.db.Write(ctx, "note that the clock was set", func(tx *gorm.DB, _ time.Time) error {
		if by > 0 {
			// One that has ended since, and whose duration nobody has measured, ended after until.
			return set(tx, "created_at <= ? AND (ended_at IS NULL OR ended_at > ? AND clock_shift = 0)", until, until)
		}
		if err := set(tx, "ended_at IS NULL AND NOT (created_at > ? AND created_at <= ?)", since.Add(by), until.Add(by)); err != nil {
			return err
		}
		return set(tx, "ended_at < created_at AND clock_shift = 0 AND ended_at > ? AND ended_at <= ?", since.Add(by), until.Add(by))
	})
}
