package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// Files reads the files of a transfer with the numbers given, in one query,
// ascending.
func (s *Store) Files(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error) {
	q := s.db.Session(ctx).Where("transfer_id = ?", transfer)
	files, err := readFiles(db.WhereInRanges(q, "no", numbers), numbers.Len())
	if err != nil {
		return nil, err
	}
	return s.withEmissions(ctx, transfer, files)
}

// FilesAfter reads up to limit registered files above a number, ascending; only their
// numbers and sizes when sizes is set.
func (s *Store) FilesAfter(ctx context.Context, transfer, after int64, limit int, sizes bool) ([]tasks.File, error) {
	q := s.db.Session(ctx).Where("transfer_id = ? AND no > ?", transfer, after).
		Where("no <= (SELECT files FROM transfers WHERE id = ?)", transfer).Limit(limit)
	if sizes {
		return readSizes(q, limit)
	}
	files, err := readFiles(q, limit)
	if err != nil {
		return nil, err
	}
	return s.withEmissions(ctx, transfer, files)
}

// ListFiles is FilesAfter for people: a row that is invalid hides no other, and its
// ScanError says so.
func (s *Store) ListFiles(ctx context.Context, transfer, after int64, limit int) ([]tasks.File, error) {
	files, err := s.FilesAfter(ctx, transfer, after, limit, false)
	if !errors.Is(err, db.ErrMisread) {
		return files, err
	}
	return s.filesOneByOne(ctx, transfer, s.db.Session(ctx).Where("transfer_id = ? AND no > ?", transfer, after).
		Where("no <= (SELECT files FROM transfers WHERE id = ?)", transfer).Limit(limit))
}

// filesOneByOne reads files although the row of one is invalid.
func (s *Store) filesOneByOne(ctx context.Context, transfer int64, q *gorm.DB) ([]tasks.File, error) {
	var rows []fileRow
	if err := findEach(q.Order("no"), &rows, unreadableFile); err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	files := fromRows(rows, (*fileRow).file)
	return s.withEmissions(ctx, transfer, files)
}

// SumSizes adds up the sizes of the files in each span of numbers, as far as none
// is missing: a span that lacks a file ends the list.
func (s *Store) SumSizes(ctx context.Context, transfer int64, spans []tasks.Range) (bytes []int64, err error) {
	const one = "SELECT ? AS span, COUNT(*) AS files, COALESCE(SUM(size), 0) AS bytes FROM files WHERE transfer_id = ? AND no BETWEEN ? AND ?"
	for at := 0; at < len(spans); at += weighMost {
		some := spans[at:min(at+weighMost, len(spans))]
		args := make([]any, 0, 4*len(some))
		for i, span := range some {
			args = append(args, i, transfer, span.First, span.Last)
		}
		query := strings.Repeat(" UNION ALL "+one, len(some))[len(" UNION ALL "):]
		var sums []struct{ Span, Files, Bytes int64 }
		if err := s.db.Session(ctx).Raw(query+" ORDER BY span", args...).Scan(&sums).Error; err != nil {
			return nil, fmt.Errorf("add up sizes: %w", err)
		}
		for i, span := range some {
			if sums[i].Files != span.Last-span.First+1 {
				return bytes, nil
			}
			bytes = append(bytes, sums[i].Bytes)
		}
	}
	return bytes, nil
}

// weighMost bounds the parts of one query.
const weighMost = 64

// readFiles scans rows itself: GORM's scanner, which finds each column's field
// anew for each row, took four times as long.
func readFiles(q *gorm.DB, about int) ([]tasks.File, error) {
	files := make([]tasks.File, 0, min(about, readMost))
	var f tasks.File
	var parent integer
	into := []any{
		(*integer)(&f.No), &f.Path, (*integer)(&f.Size), (*instant)(&f.MTime), &f.ScanError,
		(*integer)(&f.Part), (*integer)(&f.Offset), (*integer)(&f.Line), &parent, &f.Version,
	}
	q = q.Model(&fileRow{}).
		Select("no", "path", "size", "mtime", "scan_error", "part", "byte_offset", "line_no", "parent_no", "version").Order("no")
	err := scan(q, into, func() {
		f.Emitted = nil
		if parent > 0 {
			f.Emitted = &tasks.Emission{Parent: int64(parent)}
		}
		files = append(files, f)
	})
	if errors.Is(err, db.ErrMisread) {
		return nil, fmt.Errorf("read file %d of the transfer: %w", f.No, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	return files, nil
}

func readSizes(q *gorm.DB, about int) ([]tasks.File, error) {
	files := make([]tasks.File, 0, min(about, readMost))
	var f tasks.File
	q = q.Model(&fileRow{}).Select("no", "size").Order("no")
	err := scan(q, []any{(*integer)(&f.No), (*integer)(&f.Size)}, func() { files = append(files, f) })
	if errors.Is(err, db.ErrMisread) {
		return nil, fmt.Errorf("read the size of file %d of the transfer: %w", f.No, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read sizes: %w", err)
	}
	return files, nil
}

// readMost bounds the room made beforehand: a caller's limit may be far above
// what there is.
const readMost = 1000

// scan reads each row of a query into the same places, and calls took.
func scan(q *gorm.DB, into []any, took func()) error {
	rows, err := q.Rows()
	if err != nil {
		return err
	}
	defer rows.Close() // reading to the end has closed them; Err says what went wrong
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return db.Interrupted(q.Statement.Context, db.Misread(err))
		}
		took()
	}
	return db.Interrupted(q.Statement.Context, rows.Err())
}

// integer and instant are scanned into without reflection, by which the
// standard library fills an int64 and all that may be NULL.
type (
	integer int64
	instant time.Time
)

// Scan takes an integer column; NULL is 0.
func (i *integer) Scan(v any) error {
	n, ok := v.(int64)
	if !ok && v != nil {
		return fmt.Errorf("an integer came as %T", v)
	}
	*i = integer(n)
	return nil
}

// Scan takes a time; NULL is the zero time.
func (i *instant) Scan(v any) error {
	t, ok := v.(time.Time)
	if !ok && v != nil {
		return fmt.Errorf("a time came as %T", v)
	}
	*i = instant(t.UTC())
	return nil
}

// LastFileNo is the last file from the sources that a transfer has registered; a zero one
// when there is none.
func (s *Store) LastFileNo(ctx context.Context, transfer int64) (tasks.File, error) {
	var rows []fileRow
	err := s.db.Session(ctx).Where("transfer_id = ? AND no <= (SELECT files FROM transfers WHERE id = ?) AND parent_no IS NULL",
		transfer, transfer).Order("no DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		if err != nil {
			err = fmt.Errorf("read last file: %w", err)
		}
		return tasks.File{}, err
	}
	return rows[0].file(), nil
}
