package store

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// reusableRow says where the last result is that can be taken over under a key. The result
// itself is in the table results: when it is gone, or another batch has recorded the file
// again, the row stands for nothing.
type reusableRow struct {
	FileKey     []byte `gorm:"primaryKey"`
	Fingerprint []byte `gorm:"primaryKey"`
	Handler     string
	TransferID  int64
	StepNo      int
	FileNo      int64
	BatchID     int64
	RanIn       string // UUID of the transfer in which the handler ran, and what follows is of that run
	RanFile     int64
	RanAt       time.Time
}

// TableName names the table to GORM.
func (reusableRow) TableName() string { return "reusable_results" }

func (r *reusableRow) key() (k ledger.ReuseKey) {
	copy(k.File[:], r.FileKey)
	copy(k.Fingerprint[:], r.Fingerprint)
	return k
}

func (r *reusableRow) compare(o *reusableRow) int {
	return cmp.Or(bytes.Compare(r.FileKey, o.FileKey), bytes.Compare(r.Fingerprint, o.Fingerprint))
}

// insertReusable notes which results can be taken over. Steps without reuse have none.
func insertReusable(tx *gorm.DB, results []resultRecord) error {
	var rows []*reusableRow
	for i := range results {
		r := &results[i]
		if r.reusable == nil || !isReusable(r.End.Outcome) || len(r.emitted) > 0 {
			continue
		}
		rows = append(rows, &reusableRow{
			FileKey: r.reusable.File[:], Fingerprint: r.reusable.Fingerprint[:], Handler: r.reusable.Handler,
			TransferID: r.TransferID, StepNo: r.StepNo, FileNo: r.FileNo, BatchID: r.End.BatchID,
			RanIn: r.reusable.Ran.Transfer, RanFile: r.reusable.Ran.File, RanAt: r.reusable.Ran.RanAt.UTC().Truncate(time.Microsecond),
		})
	}
	if len(rows) == 0 {
		return nil
	}
	// In one order, so that transactions do not wait for each other crosswise. Of the results of
	// equal files one is enough: no statement names a row twice.
	slices.SortStableFunc(rows, (*reusableRow).compare)
	rows = slices.CompactFunc(rows, func(a, b *reusableRow) bool { return a.compare(b) == 0 })
	if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).CreateInBatches(rows, db.RowsPerInsert(tx)).Error; err != nil {
		return fmt.Errorf("note reusable results: %w", err)
	}
	return nil
}

// isReusable reports whether a result with this outcome may be taken over: a failure may
// have passed by now.
func isReusable(o tasks.Outcome) bool {
	return o == tasks.OutcomeSucceeded || o == tasks.OutcomeWarning || o == tasks.OutcomeSkipped
}

// reusedPage is how many files one query looks up.
const reusedPage = 1000

// Reusable finds results that files can take over, by file. A file that was tried before in
// this transfer takes over none: whoever retries it wants it to run.
func (s *Store) Reusable(ctx context.Context, q ledger.ReuseQuery) (map[int64]tasks.Result, error) {
	files := make([]int64, 0, len(q.Keys))
	for file := range q.Keys {
		files = append(files, file)
	}
	slices.Sort(files)
	byKey := make(map[ledger.ReuseKey]*tasks.Result, len(files))
	for page := range slices.Chunk(files, reusedPage) {
		if err := s.reusable(ctx, &q, page, byKey); err != nil {
			return nil, err
		}
	}
	if len(byKey) == 0 {
		return map[int64]tasks.Result{}, nil
	}
	tried, err := s.triedBefore(ctx, &q, files)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]tasks.Result)
	for _, file := range files {
		if r := byKey[q.Keys[file]]; r != nil && !tried.Contains(file) {
			found[file] = *r
		}
	}
	return found, nil
}

// reusable adds the results under the keys of some files.
func (s *Store) reusable(ctx context.Context, q *ledger.ReuseQuery, files []int64, byKey map[ledger.ReuseKey]*tasks.Result) error {
	fileKeys, fingerprints := make([][]byte, len(files)), make([][]byte, len(files))
	for i, file := range files {
		k := q.Keys[file]
		fileKeys[i], fingerprints[i] = k.File[:], k.Fingerprint[:]
	}
	var rows []struct {
		Record resultRecord `gorm:"embedded"`
		Of     reusableRow  `gorm:"embedded;embeddedPrefix:of_"`
	}
	err := s.db.Session(ctx).Table("reusable_results u").
		Select("r.*, u.file_key AS of_file_key, u.fingerprint AS of_fingerprint, "+
			"u.ran_in AS of_ran_in, u.ran_file AS of_ran_file, u.ran_at AS of_ran_at").
		Joins("JOIN results r ON r.transfer_id = u.transfer_id AND r.step_no = u.step_no AND r.file_no = u.file_no "+
			"AND r.batch_id = u.batch_id").
		Where("u.file_key IN ? AND u.fingerprint IN ? AND u.ran_at >= ?", distinctKeys(fileKeys), distinctKeys(fingerprints), q.Since.UTC()).
		Find(&rows).Error
	if err != nil {
		return fmt.Errorf("look up reusable results: %w", err)
	}
	for i := range rows {
		r := rows[i].Record.result()
		if !isReusable(r.Outcome) {
			continue
		}
		of := &rows[i].Of
		r.Reused = &tasks.Reused{Transfer: of.RanIn, File: of.RanFile, RanAt: of.RanAt.UTC()}
		byKey[of.key()] = &r
	}
	return nil
}

func distinctKeys(keys [][]byte) [][]byte {
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal)
}

// triedBefore are those of the files with an attempt at the step that is not its result.
func (s *Store) triedBefore(ctx context.Context, q *ledger.ReuseQuery, files []int64) (tasks.Ranges, error) {
	var numbers []int64
	query := s.db.Session(ctx).Model(&attemptRow{}).Where("transfer_id = ? AND step_no = ?", q.Transfer, q.Step)
	if err := db.WhereInRanges(query, "file_no", tasks.NewRanges(files)).Distinct().Pluck("file_no", &numbers).Error; err != nil {
		return nil, fmt.Errorf("look up attempts: %w", err)
	}
	return tasks.NewRanges(numbers), nil
}
