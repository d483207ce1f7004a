package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// BeginRegistering makes the caller the only producer of a transfer that takes files:
// the token that it returns belongs into each FileBatch, and what an earlier producer
// still sends gives ErrProducerConflict. Files that an earlier producer has inserted and
// not counted are deleted. next is the number of the next file.
func (s *Store) BeginRegistering(ctx context.Context, transfer int64) (token, next int64, err error) {
	err = s.db.Write(ctx, "begin to register", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE transfers SET producer_token = producer_token + 1 WHERE id = ? AND state IN ?",
			transfer, []tasks.State{tasks.StateOpen, tasks.StateInterrupted})
		if u.Error != nil {
			return u.Error
		}
		if u.RowsAffected == 0 {
			return ErrSealed
		}
		if err := deleteUncounted(tx, transfer); err != nil {
			return err
		}
		row, err := readRow(tx, transfer)
		token, next = row.ProducerToken, row.Files+1
		return err
	})
	return token, next, err
}

// deleteUncounted deletes files that a producer has inserted and not counted. The
// transaction must have changed the transfer: while it holds that lock no producer
// inserts more.
func deleteUncounted(tx *gorm.DB, transfer int64) error {
	const uncounted = " FROM files WHERE transfer_id = ? AND no > ?"
	row, err := readRow(tx, transfer)
	if err != nil {
		return err
	}
	// Looked up first: a DELETE would lock the gap into which other transfers insert.
	var n int64
	if err := tx.Raw("SELECT COUNT(*)"+uncounted, transfer, row.Files).Scan(&n).Error; err != nil {
		return fmt.Errorf("look for files that are not counted: %w", err)
	}
	if n == 0 {
		return nil
	}
	if err := tx.Exec("DELETE"+uncounted, transfer, row.Files).Error; err != nil {
		return fmt.Errorf("delete files that are not counted: %w", err)
	}
	return nil
}
