package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/balerhq/baler/tasks"
)

// byPath sorts by the whole path: MySQL compares only the first 1,024 bytes of a key
// (max_sort_length).
const byPath = "path, SUBSTR(path, 1025), SUBSTR(path, 2049), SUBSTR(path, 3073), no"

// FilesByPath yields the files of a transfer at and below a path, in the order of their paths
// and, for one path, of their numbers; "" stands for all. The database sorts them; it holds
// a connection until the end.
func (s *Store) FilesByPath(ctx context.Context, transfer int64, at string) iter.Seq2[tasks.File, error] {
	return func(yield func(tasks.File, error) bool) {
		q := s.db.Session(ctx).Model(&fileRow{}).Where("transfer_id = ?", transfer)
		if at != "" {
			below, beyond := pathsBelow(at)
			q = q.Where("(path = ? OR path >= ? AND path < ?)", []byte(at), []byte(below), []byte(beyond))
		}
		rows, err := q.Select("no", "path", "size", "mtime", "scan_error", "version").Order(byPath).Rows()
		if err != nil {
			yield(tasks.File{}, fmt.Errorf("read files in the order of their paths: %w", err))
			return
		}
		defer rows.Close() // Err says what went wrong
		for rows.Next() {
			var f tasks.File
			err := rows.Scan((*integer)(&f.No), &f.Path, (*integer)(&f.Size), (*instant)(&f.MTime), &f.ScanError, &f.Version)
			if err != nil {
				yield(tasks.File{}, fmt.Errorf("read files in the order of their paths: %w", err))
				return
			}
			if !yield(f, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(tasks.File{}, fmt.Errorf("read files in the order of their paths: %w", err))
		}
	}
}
