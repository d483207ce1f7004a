package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// FileBatch is a number of files that a producer registers with a transfer.
type FileBatch struct {
	Transfer int64
	Producer int64 // the token of BeginRegistering; 0 while no producer has called it

	// Files get consecutive numbers, which are written into their No: from First on, or
	// from the transfer's next one when First is 0, which only AddFiles takes.
	Files []tasks.File
	First int64

	// FirstSteps counts, by step, the files that the caller will enqueue itself
	// (the group way); nil when the dispatcher routes them later.
	FirstSteps map[int]int64

	// Finished counts the files of the group way that no step selects.
	Finished int64

	// List is the mark of the paths of a list that are registered with these files. The
	// zero value leaves that of the transfer as it is.
	List tasks.ListMark

	// RunKey, when set, adds the files to the collection, where CompareFiles finds them.
	RunKey string

	// Fixity says that the files are compared with those of the collection. New files are
	// recorded until they are reported, and a file that could not be read stays as it was.
	Fixity bool
}

// AddFiles inserts the rows of files and counts them, in one transaction. A transfer
// that is no longer open gives ErrSealed, and one that has another producer by now
// ErrProducerConflict. While the database is unavailable it waits.
func (s *Store) AddFiles(ctx context.Context, a FileBatch) error {
	return s.registerFiles(ctx, "register files", &a, a.landed, func(tx *gorm.DB, now time.Time) error {
		t, err := a.producer(tx, s.db.Dialect(), forUpdate)
		if err != nil {
			return err
		}
		if a.First > 0 && a.First != t.Files+1 {
			return ErrProducerConflict
		}
		if err := a.insert(tx, t.Files+1); err != nil {
			return err
		}
		return a.count(tx, s.db.Dialect(), now)
	})
}

// InsertFiles inserts the rows of files ahead of time: they are of no account until
// CountFiles counts them. A producer may insert several batches side by side. It
// returns the errors of AddFiles.
func (s *Store) InsertFiles(ctx context.Context, a FileBatch) error {
	return s.registerFiles(ctx, "insert files", &a, a.landed, func(tx *gorm.DB, _ time.Time) error {
		if err := a.insert(tx, a.First); err != nil {
			return err
		}
		// This comes last, so that the row is locked only for the commit. A process that
		// ends the producer's right to insert either sees these rows, or they are rolled
		// back.
		_, err := a.producer(tx, s.db.Dialect(), forShare)
		return err
	})
}

// CountFiles counts files that InsertFiles has inserted. Batches must be counted in the
// order of their numbers. It returns the errors of AddFiles.
func (s *Store) CountFiles(ctx context.Context, a FileBatch) error {
	return s.registerFiles(ctx, "count files", &a, a.counted, func(tx *gorm.DB, now time.Time) error {
		return a.count(tx, s.db.Dialect(), now)
	})
}

// registerFiles runs a transaction until the database takes it. done tells whether the
// attempt before was committed, and only the answer was lost.
func (s *Store) registerFiles(
	ctx context.Context, what string, a *FileBatch, done func(*gorm.DB) (bool, error), fn func(*gorm.DB, time.Time) error,
) error {
	if len(a.Files) == 0 {
		return nil
	}
	committing := false
	register := func(tx *gorm.DB, now time.Time) error {
		if committing {
			if is, err := done(tx); err != nil || is {
				return err
			}
		}
		err := fn(tx, now)
		committing = err == nil
		return err
	}
	return s.db.RetryOutage(ctx, func() error { return s.db.Write(ctx, what, register) })
}

// producer locks the transfer, and returns its row if it takes files of this producer.
func (a *FileBatch) producer(tx *gorm.DB, dialect db.Dialect, lock string) (t transferRow, err error) {
	query := "SELECT files, state, producer_token FROM transfers WHERE id = ?"
	if dialect == db.MySQL {
		query += lock
	}
	if err := tx.Raw(query, a.Transfer).Take(&t).Error; err != nil {
		return t, err
	}
	switch {
	case t.State != tasks.StateOpen && t.State != tasks.StateInterrupted:
		return t, ErrSealed
	case t.ProducerToken != a.Producer:
		return t, ErrProducerConflict
	}
	return t, nil
}

// insert inserts the rows, numbered from first on.
func (a *FileBatch) insert(tx *gorm.DB, first int64) error {
	err := db.BulkInsert(tx, "files", fileColumns(), a.rows(first), (*fileRow).size)
	if db.IsDuplicate(err) {
		return ErrProducerConflict
	}
	return err
}

// count counts files whose rows are there. The hot row of the transfer comes last, so
// that it is locked for little more than the commit.
func (a *FileBatch) count(tx *gorm.DB, dialect db.Dialect, now time.Time) error {
	if _, err := a.producer(tx, dialect, ""); err != nil {
		return err
	}
	if err := noteSeen(tx, dialect, a); err != nil {
		return err
	}
	if err := markStale(tx, a.RunKey); err != nil {
		return err
	}
	if err := addSelected(tx, a.Transfer, a.FirstSteps); err != nil {
		return err
	}
	first, last, bytes := a.span()
	u := tx.Exec(`UPDATE transfers SET files = files + ?, bytes = bytes + ?, finished = finished + ?, seen_at = ?, state = ?
		WHERE id = ? AND files = ? AND producer_token = ? AND state IN ?`,
		len(a.Files), bytes, a.Finished, now, tasks.StateOpen, a.Transfer, first-1, a.Producer,
		[]tasks.State{tasks.StateOpen, tasks.StateInterrupted})
	if u.Error != nil {
		return u.Error
	}
	if u.RowsAffected == 0 {
		return ErrProducerConflict
	}
	if err := markList(tx, a.Transfer, a.List); err != nil {
		return err
	}
	var there struct{ Files, Bytes int64 }
	err := tx.Raw("SELECT COUNT(*) AS files, COALESCE(SUM(size), 0) AS bytes FROM files WHERE transfer_id = ? AND no BETWEEN ? AND ?",
		a.Transfer, first, last).Scan(&there).Error
	if err != nil {
		return fmt.Errorf("check the rows of files: %w", err)
	}
	if there.Files != int64(len(a.Files)) || there.Bytes != bytes {
		return fmt.Errorf("%w: of files %d to %d, %d are there", ErrFilesLost, first, last, there.Files)
	}
	return nil
}

// span returns the numbers of the first and the last file, and the sum of the sizes.
func (a *FileBatch) span() (first, last, bytes int64) {
	for i := range a.Files {
		bytes += a.Files[i].Size
	}
	return a.Files[0].No, a.Files[len(a.Files)-1].No, bytes
}

// counted reports whether the transfer counts the files.
func (a *FileBatch) counted(tx *gorm.DB) (bool, error) {
	var t transferRow
	err := tx.Select("files", "producer_token").Take(&t, a.Transfer).Error
	_, last, _ := a.span()
	return t.ProducerToken == a.Producer && t.Files >= last, err
}

// landed reports whether the files are there under the numbers that they were
// given last.
func (a *FileBatch) landed(tx *gorm.DB) (bool, error) {
	first, last := &a.Files[0], &a.Files[len(a.Files)-1]
	var rows []fileRow
	err := tx.Where("transfer_id = ? AND no IN (?, ?)", a.Transfer, first.No, last.No).Order("no").Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return false, err
	}
	same := func(r *fileRow, f *tasks.File) bool {
		is := r.file()
		return is.No == f.No && is.Path == f.Path && is.Size == f.Size && is.Part == f.Part
	}
	return same(&rows[0], first) && same(&rows[len(rows)-1], last), nil
}

// rows numbers the files.
func (a *FileBatch) rows(first int64) []fileRow {
	rows := make([]fileRow, len(a.Files))
	for i := range a.Files {
		a.Files[i].No = first + int64(i)
		rows[i] = newFileRow(a.Transfer, &a.Files[i])
	}
	return rows
}

// addSelected adds to the number of files that each step selected, in step order.
func addSelected(tx *gorm.DB, transfer int64, routed map[int]int64) error {
	for _, no := range sortedKeys(routed) {
		err := tx.Exec("UPDATE steps SET selected = selected + ? WHERE transfer_id = ? AND no = ?", routed[no], transfer, no).Error
		if err != nil {
			return fmt.Errorf("count routed files: %w", err)
		}
	}
	return nil
}
