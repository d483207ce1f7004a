package store

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// FileBatch registers files with a transfer.
type FileBatch struct {
	Transfer int64

	// Files get consecutive numbers, which AddFiles writes into their No: from
	// First on, or from the transfer's next one when First is 0.
	Files []tasks.File
	First int64

	// BeforeCount, when set, is called when the rows are inserted and before they are
	// counted: additions with numbers of their own are inserted side by side and
	// counted one after the other. Its error undoes the addition. It may be
	// called several times.
	BeforeCount func() error

	// FirstSteps counts, by step, the files that the caller will enqueue itself
	// (the group way); nil when the dispatcher routes them later.
	FirstSteps map[int]int64

	// Finished counts the files of the group way that no step selects.
	Finished int64

	// RunKey, when set, adds the files to the collection, where CompareFiles finds them.
	RunKey string

	// Fixity says that the files are compared with those that the collection has: what
	// is new there is noted until it is reported, and a file that could not be read
	// stays as it was.
	Fixity bool
}

// AddFiles commits the rows and then counts them: a file that the transfer
// counts has its row. Any number of producers may add to one transfer. A
// transfer that is no longer open gives ErrAlreadySealed. While the database is away
// it waits.
func (s *Store) AddFiles(ctx context.Context, a FileBatch) error {
	if len(a.Files) == 0 {
		return nil
	}
	committing := false // the last attempt got that far: if it failed, perhaps only the answer was lost
	register := func(tx *gorm.DB, now time.Time) error {
		if committing {
			if there, err := a.landed(tx); err != nil || there {
				return err
			}
		}
		err := a.register(tx, now, s.db.Dialect())
		committing = err == nil
		return err
	}
	return s.db.RetryOutage(ctx, func() error { return s.db.Write(ctx, "register files", register) })
}

// register inserts the rows, and counts them last.
func (a *FileBatch) register(tx *gorm.DB, now time.Time, dialect db.Dialect) error {
	var t transferRow
	if err := tx.Select("files", "state").Take(&t, a.Transfer).Error; err != nil {
		return err
	}
	if t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return ErrSealed
	}
	first := cmp.Or(a.First, t.Files+1)
	rows, bytes := a.rows(first)
	if err := db.BulkInsert(tx.Omit(a.unused()...), "files", fileColumns(), rows, (*fileRow).size); err != nil {
		if db.IsDuplicate(err) {
			return a.race() // another producer took these numbers
		}
		return err
	}
	if err := noteSeen(tx, dialect, a); err != nil {
		return err
	}
	if a.BeforeCount != nil {
		if err := a.BeforeCount(); err != nil {
			return err
		}
	}
	// From here on rows are locked that others wait for: it must be our turn.
	if err := markStale(tx, a.RunKey); err != nil {
		return err
	}
	if err := addSelected(tx, a.Transfer, a.FirstSteps); err != nil {
		return err
	}
	// Last, so that the hot row is held for the commit alone.
	u := tx.Exec(`UPDATE transfers SET files = files + ?, bytes = bytes + ?, finished = finished + ?, seen_at = ?, state = ?
		WHERE id = ? AND files = ? AND state IN ?`,
		len(rows), bytes, a.Finished, now, tasks.StateOpen, a.Transfer, first-1, []tasks.State{tasks.StateOpen, tasks.StateInterrupted})
	if u.Error == nil && u.RowsAffected == 0 {
		return a.race()
	}
	return u.Error
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

// rows numbers the files, and adds up their sizes.
func (a *FileBatch) rows(first int64) (rows []fileRow, bytes int64) {
	rows = make([]fileRow, len(a.Files))
	for i := range a.Files {
		a.Files[i].No = first + int64(i)
		rows[i] = newFileRow(a.Transfer, &a.Files[i])
		bytes += a.Files[i].Size
	}
	return rows, bytes
}

// unused names the columns of chunks when no file is one: each column costs time.
func (a *FileBatch) unused() []string {
	for i := range a.Files {
		if a.Files[i].Part > 0 {
			return nil
		}
	}
	return []string{"Part", "ByteOffset", "LineNo"}
}

// race returns the error for file numbers that another producer took: when the
// store chooses the numbers, a new attempt gets others.
func (a *FileBatch) race() error {
	if a.First == 0 {
		return db.ErrRace
	}
	return ErrProducerConflict
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
