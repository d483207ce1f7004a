package store

import (
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// recordedFiles remembers which batch of one transaction was the first to record a
// file: two batches may hold the same file, when the queue delivered it twice.
type recordedFiles map[recordedKey]recorded

type recordedKey struct {
	transfer int64
	step     int
	file     int64
}

// recorded says which batch recorded a file, and with which outcome.
type recorded struct {
	batch   int64
	outcome tasks.Outcome
}

// note adds to there the files of a batch that earlier completions of the
// transaction record.
func (c recordedFiles) note(b *tasks.Batch, there map[int64]recorded) {
	for k, by := range c {
		if k.transfer == b.Transfer && k.step == b.Step && b.Files.Contains(k.file) {
			there[k.file] = by
		}
	}
}

// recordedBefore looks up which files of a completion's batch are recorded. It is nil for
// most completions, which skip this query and rely on the primary key to reject
// duplicates.
func recordedBefore(r *completion, tx *gorm.DB, careful bool, first recordedFiles) (map[int64]recorded, error) {
	if !careful && len(r.RecordedElsewhere) == 0 && !completesPartial(r.BatchCompletion) && len(r.FailedAttempts) == 0 {
		return nil, nil //nolint:nilnil // nothing was looked up
	}
	there, err := recordedBy(tx, r.Batch)
	if err != nil {
		return nil, err
	}
	first.note(r.Batch, there)
	return there, nil
}

// ownResults returns the rows to insert.
func ownResults(r *completion, there map[int64]recorded, first recordedFiles) []resultRecord {
	own := make([]resultRecord, 0, len(r.Results))
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
		row := resultRecord{
			TransferID: r.Batch.Transfer, StepNo: res.Step, FileNo: res.File, End: newOutcomeColumns(r.Batch.ID, res),
			emitted: res.Emitted,
		}
		row.setReused(res.Reused)
		if reusable, ok := r.Reusable[res.File]; ok {
			row.reusable = &reusable
		}
		own = append(own, row)
	}
	return own
}

// refusal says why a completion cannot be recorded beside the results that are there.
func refusal(r *ledger.BatchCompletion, there map[int64]recorded) error {
	if contradicts(r, there) {
		return ledger.ErrResultExists
	}
	if r.FollowUp == nil {
		return nil
	}
	var others []int64
	for file, by := range there {
		if by.batch != r.Batch.ID {
			others = append(others, file)
		}
	}
	if elsewhere := tasks.NewRanges(others); !slices.Equal(elsewhere, r.RecordedElsewhere) {
		return &ledger.RecordedElsewhereError{Files: elsewhere}
	}
	return nil
}

// contradicts reports whether r contradicts what the same batch recorded under an
// earlier fencing token. The worker could not release the batch then, so this one
// ran files that have results, and would route them by an outcome that is not the
// recorded one.
func contradicts(r *ledger.BatchCompletion, there map[int64]recorded) bool {
	for i := range r.Results {
		by, exists := there[r.Results[i].File]
		if exists && by.batch == r.Batch.ID && by.outcome != r.Results[i].Outcome {
			return true
		}
	}
	return slices.ContainsFunc(r.FailedAttempts, func(t tasks.Result) bool { return there[t.File].batch == r.Batch.ID })
}

// completesPartial reports whether r closes a batch of which some files were recorded
// before. Files that another batch had recorded were left out then, so now no
// duplicate key reveals them.
func completesPartial(r *ledger.BatchCompletion) bool {
	return r.FollowUp != nil && len(r.Results)+len(r.FailedAttempts) < r.Batch.Items()
}

func recordedBy(tx *gorm.DB, b *tasks.Batch) (map[int64]recorded, error) {
	var file integer
	var batch integer
	var outcome string
	m := make(map[int64]recorded)
	q := tx.Model(&resultRecord{}).Select("file_no", "batch_id", "outcome").Where("transfer_id = ? AND step_no = ?", b.Transfer, b.Step)
	err := scan(db.WhereInRanges(q, "file_no", b.Files), []any{&file, &batch, &outcome}, func() {
		m[int64(file)] = recorded{int64(batch), tasks.Outcome(outcome)}
	})
	if err != nil {
		return nil, fmt.Errorf("look up recorded files: %w", err)
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
	return insertFailures(tx, rows)
}
