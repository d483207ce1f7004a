package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// RereadFiles lists up to limit files of a transfer, those above after, that were
// registered before with the same size and modification time.
func (s *Store) RereadFiles(ctx context.Context, runKey string, transfer, after int64, limit int) ([]ledger.RereadFile, error) {
	var rows []seenFileRow
	err := s.db.Session(ctx).
		Where("run_key = ? AND transfer_id = ? AND file_no > ? AND was_transfer_id > 0", runKey, transfer, after).
		Order("file_no").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list files that were read again: %w", err)
	}
	files := make([]ledger.RereadFile, len(rows))
	for i, r := range rows {
		files[i] = ledger.RereadFile{No: r.FileNo, Was: tasks.FileKey{Transfer: r.WasTransferID, File: r.WasFileNo}}
	}
	return files, nil
}

// SettleReread ends the comparison of files of a transfer with what they were. Those that
// are damaged keep their former results, and are marked.
func (s *Store) SettleReread(ctx context.Context, runKey string, transfer int64, same, damaged tasks.Ranges) error {
	return s.db.Write(ctx, "settle files that were read again", func(tx *gorm.DB, _ time.Time) error {
		of := func(numbers tasks.Ranges) *gorm.DB {
			q := tx.Model(&seenFileRow{}).Where("run_key = ? AND transfer_id = ? AND was_transfer_id > 0", runKey, transfer)
			return db.WhereInRanges(q, "file_no", numbers)
		}
		if err := of(same).Updates(map[string]any{"was_transfer_id": 0, "was_file_no": 0}).Error; err != nil {
			return err
		}
		if len(damaged) == 0 { // the collection is as the final steps have seen it
			return nil
		}
		if err := of(damaged).Updates(map[string]any{
			"transfer_id": gorm.Expr("was_transfer_id"), "file_no": gorm.Expr("was_file_no"), "damaged": true,
			"news": 0, "was_transfer_id": 0, "was_file_no": 0, // MySQL assigns in the order of the names: after they are read
		}).Error; err != nil {
			return err
		}
		return markStale(tx, runKey)
	})
}

// CountDamaged counts the files of a collection that are damaged, but for those that a
// person has accepted.
func (s *Store) CountDamaged(ctx context.Context, runKey string) (n int64, err error) {
	if err := s.damaged(ctx, runKey).Count(&n).Error; err != nil {
		return 0, fmt.Errorf("count damaged files: %w", err)
	}
	return n, nil
}

// DamagedFiles lists up to limit of the files that CountDamaged counts.
func (s *Store) DamagedFiles(ctx context.Context, runKey string, limit int) ([]tasks.CollectedFile, error) {
	q := s.damaged(ctx, runKey).Joins("JOIN files f ON f.transfer_id = s.transfer_id AND f.no = s.file_no")
	var rows []fileRow
	if err := q.Select("f.*").Order("s.transfer_id, s.file_no").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list damaged files: %w", err)
	}
	files := make([]tasks.CollectedFile, len(rows))
	for i := range rows {
		files[i] = tasks.CollectedFile{Transfer: rows[i].TransferID, File: rows[i].file()}
	}
	return files, nil
}

func (s *Store) damaged(ctx context.Context, runKey string) *gorm.DB {
	return s.seenMarked(ctx, "damaged").
		Where("s.run_key = ? AND s.damaged = 1 AND s.accepted = ? AND s.missing = 0", runKey, false)
}

// seenMarked is the table of seen files, to be asked only for rows whose mark is 1, in
// the text of the statement: SQLite has an index of these rows alone, and would not use it
// by its own choice, but read the whole collection.
func (s *Store) seenMarked(ctx context.Context, mark string) *gorm.DB {
	table := "seen_files s"
	if s.db.Dialect() == db.SQLite {
		table += " INDEXED BY seen_files_" + mark
	}
	return s.db.Session(ctx).Table(table)
}
