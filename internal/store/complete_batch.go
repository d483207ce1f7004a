package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Record commits any number of recordings, of different batches and transfers,
// in one transaction: results, failed tries, the batches that follow, the end
// of the batch's ledger row, counters last. A recording whose batch was taken
// over or closed gets ErrLeaseLost in its Err, one that contradicts what an earlier
// delivery of its batch has recorded gets ErrResultExists, and nothing of it is
// written; a result that is there already stays as it is. The error returned is
// about all of them: nothing was written.
func (s *Store) Record(ctx context.Context, recs []*ledger.BatchCompletion) error {
	careful := false
	for try := 0; ; try++ {
		err := s.db.Write(ctx, "record results", func(tx *gorm.DB, now time.Time) error {
			return record(tx, recs, careful, s.db.Dialect(), now)
		})
		if !db.IsDuplicate(err) || try == db.MaxWriteAttempts {
			return err
		}
		careful = true // some results are there: find out which, and leave them out
	}
}

func record(tx *gorm.DB, recs []*ledger.BatchCompletion, careful bool, dialect db.Dialect, now time.Time) error {
	held, err := hold(tx, recs, dialect)
	if err != nil {
		return err
	}
	var tally counterChanges
	var results []resultRecord
	var tries []attemptRow
	first := make(recordedFiles)
	kept := held[:0]
	for _, r := range held {
		own, foreign, err := splitCompletion(r, tx, careful, first)
		if err != nil {
			return err
		}
		if r.Err != nil {
			continue
		}
		kept = append(kept, r)
		if results == nil {
			results = own // most transactions have one recording
		} else {
			results = append(results, own...)
		}
		tries = append(tries, attemptRows(r)...)
		tally.results(r.Batch, own)
		r.FollowUp, r.Completed = ledger.FollowUp{}, false
		if r.Next != nil {
			r.FollowUp = r.Next(foreign)
			tally.closing(r)
		}
	}
	held = kept
	if err := insertResults(tx, results); err != nil {
		return err
	}
	if err := db.InsertBySize(tx, tries, func(r *attemptRow) int { return r.End.size() }); err != nil {
		return fmt.Errorf("insert attempts: %w", err)
	}
	if err := closeBatches(tx, held, now); err != nil {
		return err
	}
	done, err := tally.commit(tx, now)
	for _, r := range held {
		if r.Next != nil && done[r.Batch.Transfer] {
			r.Completed = true
			delete(done, r.Batch.Transfer) // one of them reports it
		}
	}
	return err
}

// hold locks the ledger rows and keeps the recordings whose batch is still the
// worker's. The locks stand in nobody's way: a batch is one worker's.
func hold(tx *gorm.DB, recs []*ledger.BatchCompletion, dialect db.Dialect) ([]*ledger.BatchCompletion, error) {
	ids := make([]int64, len(recs))
	for i, r := range recs {
		ids[i] = r.Batch.ID
	}
	slices.Sort(ids)
	query := "SELECT id, fencing_token FROM batches WHERE id IN ? ORDER BY id"
	if dialect == db.MySQL {
		query += " FOR UPDATE" // SQLite has one writer at a time anyway
	}
	var rows []struct {
		ID           int64
		FencingToken int
	}
	if err := tx.Raw(query, slices.Compact(ids)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("hold batches: %w", err)
	}
	token := make(map[int64]int, len(rows))
	for _, r := range rows {
		token[r.ID] = r.FencingToken
	}
	held := make([]*ledger.BatchCompletion, 0, len(recs))
	for _, r := range recs {
		d, open := token[r.Batch.ID]
		r.Err = nil
		if !open || d != r.Batch.FencingToken {
			r.Err = ledger.ErrLeaseLost
			continue
		}
		held = append(held, r)
		if r.Next != nil {
			delete(token, r.Batch.ID) // whatever comes behind the end of a batch is too late
		}
	}
	return held, nil
}

// recordedFiles remembers which batch of one transaction was the first to record a
// file: two batches may hold the same file, when the queue delivered it twice.
type recordedFiles map[recordedKey]recorded

type recordedKey struct {
	transfer int64
	step     int
	file     int64
}

// recorded is who recorded a file, and how it ended.
type recorded struct {
	batch   int64
	outcome tasks.Outcome
}

// note adds to there what earlier recordings of the transaction have claimed
// of a batch's files.
func (c recordedFiles) note(b *tasks.Batch, there map[int64]recorded) {
	for k, by := range c {
		if k.transfer == b.Transfer && k.step == b.Step && b.Files.Contains(k.file) {
			there[k.file] = by
		}
	}
}

// splitCompletion gives the rows to insert, and the files that another batch recorded
// first. Most recordings do not ask, and let the key object.
func splitCompletion(r *ledger.BatchCompletion, tx *gorm.DB, careful bool, first recordedFiles) (own []resultRecord, foreign tasks.Ranges, err error) {
	var there map[int64]recorded
	if careful || completesPartial(r) || len(r.FailedAttempts) > 0 {
		if there, err = recordedBy(tx, r.Batch); err != nil {
			return nil, nil, err
		}
		first.note(r.Batch, there)
		if contradicts(r, there) {
			r.Err = ledger.ErrResultExists
			return nil, nil, nil
		}
	}
	own = make([]resultRecord, 0, len(r.Results))
	for i := range r.Results {
		res := &r.Results[i]
		if there != nil {
			if _, exists := there[res.File]; exists {
				continue
			}
			by := recorded{r.Batch.ID, res.Outcome}
			there[res.File] = by
			first[recordedKey{r.Batch.Transfer, res.Step, res.File}] = by
		}
		own = append(own, resultRecord{
			TransferID: r.Batch.Transfer, StepNo: res.Step, FileNo: res.File, End: newOutcomeColumns(r.Batch.ID, res),
		})
	}
	var others []int64
	for file, by := range there {
		if by.batch != r.Batch.ID {
			others = append(others, file)
		}
	}
	return own, tasks.NewRanges(others), nil
}

// contradicts reports whether this contradicts what an earlier delivery of the
// batch has recorded. That delivery could not tell the ledger that it gave up,
// so this one ran what needed no running, and would move the file on by an
// outcome that is not the recorded one.
func contradicts(r *ledger.BatchCompletion, there map[int64]recorded) bool {
	for i := range r.Results {
		by, exists := there[r.Results[i].File]
		if exists && by.batch == r.Batch.ID && by.outcome != r.Results[i].Outcome {
			return true
		}
	}
	return slices.ContainsFunc(r.FailedAttempts, func(t tasks.Result) bool { return there[t.File].batch == r.Batch.ID })
}

// completesPartial reports whether this closes a batch of which parts were recorded
// before. What another batch had recorded of those parts was left out then, and
// no key objects now.
func completesPartial(r *ledger.BatchCompletion) bool {
	return r.Next != nil && len(r.Results)+len(r.FailedAttempts) < r.Batch.Items()
}

func recordedBy(tx *gorm.DB, b *tasks.Batch) (map[int64]recorded, error) {
	var rows []resultRecord
	q := tx.Select("file_no", "batch_id", "outcome").Where("transfer_id = ? AND step_no = ?", b.Transfer, b.Step)
	if err := db.WhereInRanges(q, "file_no", b.Files).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("look up recorded files: %w", err)
	}
	m := make(map[int64]recorded, len(rows))
	for i := range rows {
		m[rows[i].FileNo] = recorded{rows[i].End.BatchID, rows[i].End.Outcome}
	}
	return m, nil
}

func attemptRows(r *ledger.BatchCompletion) []attemptRow {
	rows := make([]attemptRow, len(r.FailedAttempts))
	for i := range r.FailedAttempts {
		t := &r.FailedAttempts[i]
		rows[i] = attemptRow{
			TransferID: r.Batch.Transfer, StepNo: t.Step, FileNo: t.File, End: newOutcomeColumns(r.Batch.ID, t),
		}
	}
	return rows
}

// insertResults inserts in the order of the primary key, so that rows append.
func insertResults(tx *gorm.DB, rows []resultRecord) error {
	slices.SortFunc(rows, compareResults)
	// No %w around a duplicate would hide it: Record looks for it.
	if err := db.BulkInsert(tx, "results", resultColumns(), rows, (*resultRecord).size); err != nil {
		return fmt.Errorf("insert results: %w", err)
	}
	return nil
}

// closeBatches writes the batches that follow and deletes those that are done.
func closeBatches(tx *gorm.DB, held []*ledger.BatchCompletion, now time.Time) error {
	var next []tasks.Batch
	var closed []int64
	for _, r := range held {
		if r.Next != nil {
			next = append(next, r.FollowUp.Batches...)
			closed = append(closed, r.Batch.ID)
		}
	}
	if err := insertBatches(tx, next, now); err != nil {
		return err
	}
	for _, r := range held {
		n := copy(r.FollowUp.Batches, next)
		next = next[n:]
	}
	if len(closed) == 0 {
		return nil
	}
	if err := tx.Exec("DELETE FROM batches WHERE id IN ?", closed).Error; err != nil {
		return fmt.Errorf("close batches: %w", err)
	}
	return nil
}
