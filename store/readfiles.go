package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// Files reads the files of a transfer with the numbers given, in one query,
// ascending.
func (s *Store) Files(ctx context.Context, transfer int64, numbers tasks.Ranges) ([]tasks.File, error) {
	q := s.db.WithContext(ctx).Where("transfer_id = ?", transfer)
	return readFiles(within(q, "no", numbers), numbers.Len())
}

// FilesAfter reads up to limit files behind a number, ascending; only their
// numbers and sizes when sizes is set.
func (s *Store) FilesAfter(ctx context.Context, transfer, after int64, limit int, sizes bool) ([]tasks.File, error) {
	q := s.db.WithContext(ctx).Where("transfer_id = ? AND no > ?", transfer, after).Limit(limit)
	if sizes {
		return readSizes(q, limit)
	}
	return readFiles(q, limit)
}

// readFiles scans rows itself: GORM's scanner, which finds each column's field
// anew for each row, took four times as long.
func readFiles(q *gorm.DB, about int) ([]tasks.File, error) {
	files := make([]tasks.File, 0, min(about, readMost))
	rows, err := q.Model(&fileRow{}).
		Select("no, path, size, mtime, problem, COALESCE(part, 0), COALESCE(at_byte, 0), COALESCE(at_line, 0)").Order("no").Rows()
	if err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	defer rows.Close() // reading to the end has closed them; Err says what went wrong
	for rows.Next() {
		var f tasks.File
		var mtime *time.Time
		if err := rows.Scan(&f.No, &f.Path, &f.Size, &mtime, &f.Problem, &f.Part, &f.Offset, &f.Line); err != nil {
			return nil, fmt.Errorf("read files: %w", err)
		}
		f.MTime = value(mtime)
		files = append(files, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read files: %w", err)
	}
	return files, nil
}

func readSizes(q *gorm.DB, about int) ([]tasks.File, error) {
	files := make([]tasks.File, 0, min(about, readMost))
	rows, err := q.Model(&fileRow{}).Select("no", "size").Order("no").Rows()
	if err != nil {
		return nil, fmt.Errorf("read sizes: %w", err)
	}
	defer rows.Close() // as in readFiles
	for rows.Next() {
		var f tasks.File
		if err := rows.Scan(&f.No, &f.Size); err != nil {
			return nil, fmt.Errorf("read sizes: %w", err)
		}
		files = append(files, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sizes: %w", err)
	}
	return files, nil
}

// readMost bounds the room made beforehand: a caller's limit may be far above
// what there is.
const readMost = 1000
