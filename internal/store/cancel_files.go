package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// canceledFile says that a file goes no further: the next batch that has it records it as
// canceled in place of running it. So the result of a file is always recorded by the batch
// that has it, and a file that just ends has the result with which it ended.
type canceledFile struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	FileNo     int64 `gorm:"primaryKey;autoIncrement:false"`
}

// TableName names the table to GORM.
func (canceledFile) TableName() string { return "canceled_files" }

// cancelPage is how many files one transaction of CancelFiles marks.
const cancelPage = 1000

// CancelFiles cancels those files of a transfer that a filter selects and that have not
// ended, and counts those that were not canceled before. A file is selected by its results,
// by the last of its failed attempts while it waits for another, and where the filter names
// only a step, by being at this step. The caller may repeat a call that failed half way.
func (s *Store) CancelFiles(ctx context.Context, transfer int64, f tasks.ResultSelector) (files int64, err error) {
	left, err := s.unfinishedFiles(ctx, transfer)
	if err != nil || left == nil {
		return 0, err
	}
	chosen, err := left.choose(ctx, s, f)
	if err != nil {
		return 0, err
	}
	for page := range slices.Chunk(chosen, cancelPage) {
		n, err := s.markCanceled(ctx, transfer, page)
		if err != nil {
			return files, err
		}
		files += n
	}
	return files, s.hurryCanceled(ctx, left.batches, tasks.NewRanges(chosen))
}

func (s *Store) markCanceled(ctx context.Context, transfer int64, page []int64) (marked int64, err error) {
	err = s.db.Write(ctx, "cancel files", func(tx *gorm.DB, _ time.Time) error {
		t, err := lockTransfer(tx, transfer, s.db.Dialect())
		if err != nil {
			return err
		}
		if marked = 0; t.State.Ended() {
			return nil
		}
		there, err := canceledAmong(tx, transfer, tasks.NewRanges(page))
		if err != nil {
			return err
		}
		var rows []canceledFile
		for _, no := range page {
			if !there.Contains(no) {
				rows = append(rows, canceledFile{transfer, no})
			}
		}
		if marked = int64(len(rows)); marked == 0 {
			return nil
		}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(rows, db.RowsPerInsert(tx)).Error
	})
	return marked, err
}

// CanceledFiles tells which of the files are canceled.
func (s *Store) CanceledFiles(ctx context.Context, transfer int64, files tasks.Ranges) (tasks.Ranges, error) {
	return canceledAmong(s.db.Session(ctx), transfer, files)
}

func canceledAmong(q *gorm.DB, transfer int64, files tasks.Ranges) (tasks.Ranges, error) {
	var numbers []int64
	q = q.Model(&canceledFile{}).Where("transfer_id = ?", transfer)
	if err := db.WhereInRanges(q, "file_no", files).Pluck("file_no", &numbers).Error; err != nil {
		return nil, fmt.Errorf("look up canceled files: %w", err)
	}
	return tasks.NewRanges(numbers), nil
}

// hurryCanceled makes batches due that wait for another attempt of canceled files alone.
func (s *Store) hurryCanceled(ctx context.Context, batches []tasks.Batch, canceled tasks.Ranges) error {
	var ids []int64
	for i := range batches {
		alone := batches[i].Attempt > 1
		for no := range batches[i].Files.All() {
			if alone = alone && canceled.Contains(no); !alone {
				break
			}
		}
		if alone {
			ids = append(ids, batches[i].ID)
		}
	}
	for page := range slices.Chunk(ids, cancelPage) {
		err := s.db.Write(ctx, "make batches due", func(tx *gorm.DB, now time.Time) error {
			return tx.Exec("UPDATE batches SET due_at = ? WHERE id IN ? AND due_at > ? AND held_until IS NULL", now, page, now).Error
		})
		if err != nil {
			return err
		}
	}
	return nil
}
