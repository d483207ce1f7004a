package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// MarkMissing notes of those files of a collection which a transfer has not registered,
// although it has registered all that is there, that they are missing. Those stay as they
// are of which it is not known because they are in a folder that could not be read.
func (s *Store) MarkMissing(ctx context.Context, runKey string, transfer int64, hidden func(path string) bool) error {
	var after tasks.FileKey
	for {
		page, err := s.seenAfter(ctx, runKey, after)
		if err != nil {
			return err
		}
		missing := make(map[int64][]int64)
		for i := range page {
			r := &page[i]
			if r.TransferID >= transfer {
				break
			}
			if !r.Missing {
				missing[r.TransferID] = append(missing[r.TransferID], r.FileNo)
			}
		}
		for _, of := range sortedKeys(missing) {
			if err := s.markMissing(ctx, runKey, of, missing[of], hidden); err != nil {
				return err
			}
		}
		if len(page) < goneScan || page[len(page)-1].TransferID >= transfer {
			return nil
		}
		after = tasks.FileKey{Transfer: page[len(page)-1].TransferID, File: page[len(page)-1].FileNo}
	}
}

func (s *Store) markMissing(ctx context.Context, runKey string, transfer int64, numbers []int64, hidden func(path string) bool) error {
	files, err := s.Files(ctx, transfer, tasks.NewRanges(numbers))
	if err != nil {
		return err
	}
	unknown := make(map[int64]bool)
	for i := range files {
		if hidden(files[i].Path) {
			unknown[files[i].No] = true
		}
	}
	var missing []int64
	for _, no := range numbers {
		if !unknown[no] {
			missing = append(missing, no)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.db.Write(ctx, "note files as missing", func(tx *gorm.DB, _ time.Time) error {
		q := tx.Model(&seenFileRow{}).Where("run_key = ? AND transfer_id = ?", runKey, transfer)
		err := db.WhereInRanges(q, "file_no", tasks.NewRanges(missing)).
			Updates(map[string]any{"missing": true, "accepted": false, "news": 0}).Error
		if err != nil {
			return err
		}
		return markStale(tx, runKey)
	})
}

// AcceptMissing notes that a person knows of the files that are missing.
func (s *Store) AcceptMissing(ctx context.Context, runKey string) error {
	return s.db.Write(ctx, "accept missing files", func(tx *gorm.DB, _ time.Time) error {
		return tx.Model(&seenFileRow{}).Where("run_key = ? AND missing = 1 AND accepted = 0", runKey).Update("accepted", true).Error
	})
}

// CountMissing counts the files of a collection that are missing, but for those that a
// person has accepted.
func (s *Store) CountMissing(ctx context.Context, runKey string) (n int64, err error) {
	if err := s.missing(ctx, runKey).Count(&n).Error; err != nil {
		return 0, fmt.Errorf("count missing files: %w", err)
	}
	return n, nil
}

// MissingFile is a file of a collection that is missing.
type MissingFile struct {
	At      tasks.FileKey
	Content tasks.FileKey // where its digests are
}

// MissingFiles lists up to limit of the files that CountMissing counts, after a key.
func (s *Store) MissingFiles(ctx context.Context, runKey string, after tasks.FileKey, limit int) ([]MissingFile, error) {
	var rows []seenFileRow
	err := s.missing(ctx, runKey).
		Where("s.transfer_id > ? OR s.transfer_id = ? AND s.file_no > ?", after.Transfer, after.Transfer, after.File).
		Order("s.transfer_id, s.file_no").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list missing files: %w", err)
	}
	files := make([]MissingFile, len(rows))
	for i, r := range rows {
		files[i].At = tasks.FileKey{Transfer: r.TransferID, File: r.FileNo}
		files[i].Content = files[i].At
		if r.WasTransferID > 0 {
			files[i].Content = tasks.FileKey{Transfer: r.WasTransferID, File: r.WasFileNo}
		}
	}
	return files, nil
}

func (s *Store) missing(ctx context.Context, runKey string) *gorm.DB {
	return s.seenMarked(ctx, "missing").Where("s.run_key = ? AND s.missing = 1 AND s.accepted = ?", runKey, false)
}

// DamagedAfter lists up to limit of the files that CountDamaged counts, after a key.
func (s *Store) DamagedAfter(ctx context.Context, runKey string, after tasks.FileKey, limit int) ([]tasks.FileKey, error) {
	var rows []seenFileRow
	err := s.damaged(ctx, runKey).
		Where("s.transfer_id > ? OR s.transfer_id = ? AND s.file_no > ?", after.Transfer, after.Transfer, after.File).
		Order("s.transfer_id, s.file_no").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list damaged files: %w", err)
	}
	keys := make([]tasks.FileKey, len(rows))
	for i, r := range rows {
		keys[i] = tasks.FileKey{Transfer: r.TransferID, File: r.FileNo}
	}
	return keys, nil
}
