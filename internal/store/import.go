package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// importRow is a transfer that is being imported: rows of other tables have its number, and
// the table transfers does not have it yet. So nobody sees a part of it, and an import that
// was cut off goes on.
type importRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	UUID       string
	StartedAt  time.Time
}

// TableName names the table to GORM.
func (importRow) TableName() string { return "imports" }

// ErrTransferExists reports an import of a transfer that the database has.
var ErrTransferExists = errors.New("the transfer is in the database")

// BeginImport returns the number under which a transfer is imported: the same again when an
// import of it was cut off. The error is ErrTransferExists when it is there already.
func (s *Store) BeginImport(ctx context.Context, t *tasks.Transfer) (id int64, err error) {
	err = s.db.Write(ctx, "begin import", func(tx *gorm.DB, now time.Time) error {
		var there int64
		if err := tx.Model(&transferRow{}).Where("uuid = ?", t.UUID).Count(&there).Error; err != nil {
			return err
		}
		if there > 0 {
			return fmt.Errorf("%w: %s", ErrTransferExists, t.UUID)
		}
		if err := tx.Model(&tombstone{}).Where("uuid = ? AND purged_at IS NULL", t.UUID).Count(&there).Error; err != nil {
			return err
		}
		if there > 0 {
			return fmt.Errorf("transfer %s was deleted here, and its rows are not all gone yet: import it again "+
				"when a worker or server has deleted them", t.UUID)
		}
		var begun []importRow
		if err := tx.Where("uuid = ?", t.UUID).Limit(1).Find(&begun).Error; err != nil {
			return err
		}
		if len(begun) > 0 {
			id = begun[0].TransferID
			return nil
		}
		id, err = reserveTransfer(tx, now)
		if err != nil {
			return err
		}
		if err := tx.Create(newImportSteps(id, t.Steps)).Error; err != nil {
			return err
		}
		return tx.Create(&importRow{TransferID: id, UUID: t.UUID, StartedAt: now}).Error
	})
	return id, err
}

// reserveTransfer takes a number that no transfer gets from now on.
func reserveTransfer(tx *gorm.DB, now time.Time) (int64, error) {
	row := transferRow{UUID: "import", State: tasks.StateCanceled, Via: tasks.ViaBulk, CreatedAt: now, SeenAt: now, Sources: []byte{}}
	if err := tx.Create(&row).Error; err != nil {
		return 0, err
	}
	return row.ID, tx.Exec("DELETE FROM transfers WHERE id = ?", row.ID).Error
}

func newImportSteps(id int64, steps []tasks.StepProgress) []stepRow {
	rows := newStepRows(id, steps)
	for i := range steps {
		c := &steps[i]
		r := &rows[i]
		r.Selected, r.Reused = c.Selected, c.Reused
		r.Succeeded, r.Warning, r.Skipped, r.Failed = c.Succeeded, c.Warning, c.Skipped, c.Failed
		r.Error, r.TimedOut, r.Canceled = c.Error, c.TimedOut, c.Canceled
	}
	return rows
}

// ImportFiles inserts those files, ascending by number, that are not there yet.
func (s *Store) ImportFiles(ctx context.Context, id int64, files []tasks.File) error {
	numbers := make([]int64, len(files))
	for i := range files {
		numbers[i] = files[i].No
	}
	return s.db.Write(ctx, "import files", func(tx *gorm.DB, _ time.Time) error {
		var there []int64
		q := tx.Model(&fileRow{}).Where("transfer_id = ?", id)
		if err := db.WhereInRanges(q, "no", tasks.NewRanges(numbers)).Pluck("no", &there).Error; err != nil {
			return err
		}
		known := tasks.NewRanges(there)
		var rows []fileRow
		var emitted []tasks.File
		for i := range files {
			f := &files[i]
			if known.Contains(f.No) {
				continue
			}
			rows = append(rows, newFileRow(id, f))
			if f.Emitted != nil {
				emitted = append(emitted, *f)
			}
		}
		if err := importEmitted(tx, id, emitted); err != nil {
			return err
		}
		return db.BulkInsert(tx, "files", fileColumns(), rows, (*fileRow).size)
	})
}

// importEmitted inserts what files were made from.
func importEmitted(tx *gorm.DB, id int64, files []tasks.File) error {
	rows := make([]emittedRow, 0, len(files))
	known := make(map[string]bool, len(files))
	for i := range files {
		row := newEmittedRow(id, &files[i])
		row.FileNo, row.Position = &files[i].No, files[i].No
		var there int64
		err := tx.Model(&emittedRow{}).Where("transfer_id = ? AND parent_no = ? AND step_no = ? AND name_hash = ?",
			id, row.ParentNo, row.StepNo, row.NameHash).Count(&there).Error
		if err != nil {
			return err
		}
		if there > 0 || known[row.key()] {
			row.version()
		}
		known[row.key()] = true
		rows = append(rows, row)
	}
	columns := append(emittedColumns(), db.BulkColumn[emittedRow]{
		Name: "file_no", Write: func(l db.Literals, r *emittedRow) db.Literals { return l.Number(*r.FileNo) },
	})
	return db.BulkInsert(tx, "emitted_files", columns, rows, (*emittedRow).size)
}

func (r *emittedRow) key() string { return fmt.Sprintf("%d/%d/%x", r.ParentNo, r.StepNo, r.NameHash) }

// ImportResults inserts those results of one step that are not there yet.
func (s *Store) ImportResults(ctx context.Context, id int64, results []tasks.Result) error {
	numbers := make([]int64, len(results))
	for i := range results {
		numbers[i] = results[i].File
	}
	return s.db.Write(ctx, "import results", func(tx *gorm.DB, _ time.Time) error {
		var there []int64
		q := tx.Model(&resultRecord{}).Where("transfer_id = ? AND step_no = ?", id, results[0].Step)
		if err := db.WhereInRanges(q, "file_no", tasks.NewRanges(numbers)).Pluck("file_no", &there).Error; err != nil {
			return err
		}
		known := tasks.NewRanges(there)
		var rows []resultRecord
		for i := range results {
			r := &results[i]
			if known.Contains(r.File) {
				continue
			}
			row := resultRecord{TransferID: id, StepNo: r.Step, FileNo: r.File, End: newOutcomeColumns(0, r)}
			row.setReused(r.Reused)
			rows = append(rows, row)
		}
		if err := db.BulkInsert(tx, "results", resultColumns(), rows, (*resultRecord).size); err != nil {
			return err
		}
		return insertFailures(tx, rows)
	})
}

// ImportedFiles lists up to limit imported files above a number.
func (s *Store) ImportedFiles(ctx context.Context, id, after int64, limit int) ([]tasks.File, error) {
	files, err := readFiles(s.db.Session(ctx).Where("transfer_id = ? AND no > ?", id, after).Limit(limit), limit)
	if err != nil {
		return nil, err
	}
	return s.withEmissions(ctx, id, files)
}

// EndImport makes an imported transfer one of those of the database. Nothing of it runs: it
// has ended, no webhook is sent, and no later run counts its files as seen.
func (s *Store) EndImport(ctx context.Context, id int64, t *tasks.Transfer) error {
	return s.db.Write(ctx, "end import", func(tx *gorm.DB, now time.Time) error {
		row := transferRow{
			ID: id, UUID: t.UUID, Name: db.ClipText(t.Name, 255), Via: t.Via, State: t.State, Queue: t.Queue, Recipe: t.Recipe,
			Sources: joinSources(t.Sources), Selection: selectionColumn(&t.Selection), Files: t.Files, Bytes: t.Bytes, Finished: t.Finished,
			Dispatched: t.Cursor, SweepMark: t.Cursor, Finalizing: len(t.Finalizers), CreatedAt: t.CreatedAt.UTC(), SeenAt: now,
			SealedAt: pointer(t.SealedAt), EndedAt: pointer(t.EndedAt), Weight: max(t.Weight, 1), Emitted: t.Emitted,
			EmittedRegistered: t.Emitted, NoReuse: t.NoReuse, ClockShift: t.ClockShift.Microseconds(),
		}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		err := tx.Exec(`UPDATE transfers SET dispatched_bytes = (SELECT COALESCE(SUM(size), 0) FROM files WHERE transfer_id = ? AND no <= ?)
			WHERE id = ?`, id, t.Cursor, id).Error
		if err != nil {
			return err
		}
		for _, f := range t.Finalizers {
			step := finalizeRow{
				TransferID: id, No: f.Number, Name: f.Name, Handler: f.Handler, State: f.State, Attempts: f.Attempts, Error: f.Error,
			}
			if err := tx.Create(&step).Error; err != nil {
				return err
			}
		}
		if err := tx.Exec("DELETE FROM tombstones WHERE uuid = ?", t.UUID).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM imports WHERE transfer_id = ?", id).Error
	})
}
