package tableload

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/tasks"
)

// ErrSectionLoaded is the error for a section whose rows are in the table already.
var ErrSectionLoaded = errors.New("the section is loaded already")

// Section is a run of lines of one file that is loaded in one transaction.
type Section struct {
	Transfer int64
	Step     int
	File     int64
	Offset   int64 // where it begins in the uncompressed content of the file
	Bytes    int64
	Lines    int64
	Skipped  int64
	Rows     *RowBuffer
	Rejects  []tasks.RejectedLine // lines that do not become rows

	// A later transfer uses these fields to skip loaded lines; see EarlierSections.
	Source        []byte // a short name for the file and the options of the load; nil: later transfers do not recognize the section
	ContentOffset int64  // where in the whole file's content it begins
	Line          int64  // number of its first line
	Digest        []byte
	Unchanged     int64           // lines that another transfer has loaded
	Earlier       *EarlierSection // the newest of EarlierSections at this place when the rows were made; nil for none

	Unmapped      int64    // values of loaded lines that have no column
	UnmappedNames []string // some of the names of members with such values
}

// Load commits a section in one transaction: its rows, its rejected lines and a marker that
// it is loaded. For a section that begins at the offset of a loaded one it returns
// ErrSectionLoaded and changes nothing; while another worker loads that section, Load waits.
// When another transfer has loaded the same place of the source since the rows were made,
// Load changes nothing and returns a *MeanwhileError. Rows that the database refuses
// become rejected lines; other rows are not affected. Load waits while the database is
// unreachable.
func (t *Table) Load(ctx context.Context, section *Section) (tasks.LoadCounts, error) {
	var counts tasks.LoadCounts
	attempt := func(tx *gorm.DB, _ time.Time) error {
		l := loading{t: t, section: section, tx: tx, conn: tx.Statement.ConnPool, rejected: slices.Clip(section.Rejects)}
		err := l.run(ctx)
		counts = l.counts
		return err
	}
	err := t.s.db.RetryOutage(ctx, func() error { return t.s.db.Write(ctx, "load lines", attempt) })
	if err != nil {
		return tasks.LoadCounts{}, inWords(err)
	}
	return counts, nil
}

// loading is one attempt of one transaction.
type loading struct {
	t        *Table
	section  *Section
	tx       *gorm.DB
	conn     gorm.ConnPool // used directly, because GORM would search megabytes of text for parameters
	rejected []tasks.RejectedLine
	counts   tasks.LoadCounts
	seen     int64 // the session's count of duplicates after the last statement
}

func (l *loading) run(ctx context.Context) error {
	mark := newLoadRow(l.section, l.t)
	// This must come first: another worker with the same section waits here, or gets a
	// duplicate key.
	if err := l.tx.Create(&mark).Error; err != nil {
		if db.IsDuplicate(err) {
			return ErrSectionLoaded
		}
		return err
	}
	unlock, err := l.lockPlace()
	if err != nil {
		return err
	}
	if l.t.counted {
		if _, err := l.conn.ExecContext(ctx, "SET @baler_duplicates = 0"); err != nil {
			return err
		}
	}
	if err := l.rows(ctx); err != nil {
		return err
	}
	failpoint.Point(failpoint.RowsInserted)
	l.counts.Bytes, l.counts.Lines, l.counts.Skipped = l.section.Bytes, l.section.Lines, l.section.Skipped
	l.counts.Unchanged, l.counts.Unmapped = l.section.Unchanged, l.section.Unmapped
	l.counts.Bad = int64(len(l.rejected))
	if err := l.reject(); err != nil {
		return err
	}
	seen, err := l.witness()
	if err != nil {
		return err
	}
	err = l.tx.Exec(`UPDATE loads SET loaded = ?, duplicates = ?, bad = ?, witness = ?
		WHERE transfer_id = ? AND step_no = ? AND file_no = ? AND byte_offset = ?`,
		l.counts.Loaded, l.counts.Duplicates, l.counts.Bad, seen, mark.TransferID, mark.StepNo, mark.FileNo, mark.ByteOffset).Error
	if err != nil {
		return err
	}
	return unlock()
}

// rows inserts all rows, as many per statement as fit.
func (l *loading) rows(ctx context.Context) error {
	all := l.section.Rows.rows
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].to-all[from].from <= l.t.statementBytes() {
			to++
		}
		if err := l.insert(ctx, all[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// insert inserts some rows. When the database refuses one of them, it finds that row by
// splitting the rows in halves.
func (l *loading) insert(ctx context.Context, rows []rowEnd) error {
	err := l.statement(ctx, rows)
	switch {
	case err == nil:
		return nil
	case !refusedRow(err) || ctx.Err() != nil:
		return err
	case len(rows) == 1:
		l.rejected = append(l.rejected, NewRejectedLine(rows[0].line, l.t.databaseReason(err), rows[0].source))
		return nil
	}
	half := len(rows) / 2
	if err := l.insert(ctx, rows[:half]); err != nil {
		return err
	}
	return l.insert(ctx, rows[half:])
}

func (l *loading) statement(ctx context.Context, rows []rowEnd) error {
	first, last := rows[0], rows[len(rows)-1]
	values := l.section.Rows.text[first.from:last.to]
	if len(values) > l.t.rowBytes() {
		return db.ErrRowTooLarge
	}
	clause := l.t.clause
	if l.t.first != "" {
		clause = l.t.first
	}
	result, err := l.exec(ctx, values, clause)
	if err == nil && l.t.first != "" { // existing and repeated rows get the new values
		_, err = l.exec(ctx, values, l.t.clause)
	}
	if l.t.counted {
		return l.countDuplicates(ctx, len(rows), err)
	}
	if err != nil {
		return err
	}
	affected, err := result.RowsAffected()
	l.counts.Loaded += affected
	l.counts.Duplicates += int64(len(rows)) - affected
	return err
}

func (l *loading) exec(ctx context.Context, values []byte, clause string) (sql.Result, error) {
	r := l.section.Rows
	r.statement = append(append(append(r.statement[:0], l.t.insert...), values...), clause...)
	return l.conn.ExecContext(ctx, string(r.statement))
}

// countDuplicates reads the session's count of duplicates. After a failed statement it
// resets the count, because that statement has counted rows that are inserted again.
func (l *loading) countDuplicates(ctx context.Context, rows int, failed error) error {
	if failed != nil {
		if refusedRow(failed) {
			if _, err := l.conn.ExecContext(ctx, "SET @baler_duplicates = ?", l.seen); err != nil {
				return err
			}
		}
		return failed
	}
	var now int64
	if err := l.conn.QueryRowContext(ctx, "SELECT CAST(@baler_duplicates AS SIGNED)").Scan(&now); err != nil {
		return err
	}
	l.counts.Duplicates += now - l.seen
	l.counts.Loaded += int64(rows) - (now - l.seen)
	l.seen = now
	return nil
}
