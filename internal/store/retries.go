package store

import (
	"fmt"
	"strings"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

const (
	explainedRetries = 100 // transfers of which retries says why they try again
	retryErrorShown  = 300 // bytes of an error
)

// retries returns the next attempts of transfers that have no batches but those of files
// that have failed.
func retries(q *gorm.DB) (map[int64]ledger.Retry, error) {
	var rows []struct {
		TransferID, Files, First int64
	}
	err := q.Model(&batchRow{}).Select("transfer_id, SUM(items) AS files, MIN(id) AS first").
		Group("transfer_id").Having("MIN(attempt) > 1").Order("transfer_id").Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("look for batches that are tried again: %w", err)
	}
	all := make(map[int64]ledger.Retry, len(rows))
	first := make([]int64, 0, explainedRetries)
	for _, r := range rows[:min(len(rows), explainedRetries)] {
		all[r.TransferID] = ledger.Retry{Files: r.Files}
		first = append(first, r.First)
	}
	if len(first) == 0 {
		return all, nil
	}
	var batches []batchRow
	if err := findEach(q.Where("id IN ?", first), &batches, unreadableBatch); err != nil {
		return nil, fmt.Errorf("read batches that are tried again: %w", err)
	}
	for i := range batches {
		b := &batches[i]
		r := all[b.TransferID]
		r.At = b.DueAt.UTC()
		if err := lastAttempt(q, b, &r); err != nil {
			return nil, err
		}
		all[b.TransferID] = r
	}
	return all, nil
}

// lastAttempt reads how the last attempt at the first file of a batch ended.
func lastAttempt(q *gorm.DB, b *batchRow, r *ledger.Retry) error {
	files, err := tasks.ParseRanges(b.Files)
	if err != nil || files.Len() == 0 {
		return nil //nolint:nilerr // the transfer says that this row cannot be read
	}
	var last []struct{ Code, Error string }
	err = q.Table("attempts").Select("code", "error").
		Where("transfer_id = ? AND step_no = ? AND file_no = ?", b.TransferID, b.StepNo, files[0].First).
		Order("id DESC").Limit(1).Scan(&last).Error
	if err != nil {
		return fmt.Errorf("read the last attempt: %w", err)
	}
	for _, l := range last {
		line, _, _ := strings.Cut(l.Error, "\n")
		r.Code, r.Error = l.Code, db.ClipText(line, retryErrorShown)
	}
	return nil
}
