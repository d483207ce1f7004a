package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// FilesFound notes files of a transfer that the scan could not read and that can be read
// now, with the size and the modification time that they have.
func (s *Store) FilesFound(ctx context.Context, transfer int64, files []tasks.File) error {
	return s.db.Write(ctx, "note files as found", func(tx *gorm.DB, _ time.Time) error {
		runKey, err := runKeyOf(tx, transfer)
		if err != nil {
			return err
		}
		var bytes int64
		for i := range files {
			f := &files[i]
			u := tx.Exec("UPDATE files SET size = ?, mtime = ?, version = ?, scan_error = '' "+
				"WHERE transfer_id = ? AND no = ? AND scan_error <> ''",
				f.Size, pointer(f.MTime), recordedVersion(f.Version), transfer, f.No)
			if u.Error != nil {
				return fmt.Errorf("update file %d: %w", f.No, u.Error)
			}
			if u.RowsAffected == 0 {
				continue // another was faster
			}
			bytes += f.Size
			if runKey == "" {
				continue
			}
			is := newSeenFile(runKey, transfer, f)
			err := tx.Exec("UPDATE seen_files SET size = ?, mtime = ? WHERE run_key = ? AND path_hash = ? AND transfer_id = ?",
				is.Size, is.Mtime, runKey, is.PathHash, transfer).Error
			if err != nil {
				return fmt.Errorf("note file %d as seen: %w", f.No, err)
			}
		}
		err = tx.Exec("UPDATE transfers SET bytes = bytes + ?, dispatched_bytes = dispatched_bytes + ? WHERE id = ?",
			bytes, bytes, transfer).Error
		if err != nil {
			return fmt.Errorf("count bytes: %w", err)
		}
		return nil
	})
}

func runKeyOf(tx *gorm.DB, transfer int64) (runKey string, err error) {
	if err := tx.Raw("SELECT run_key FROM transfers WHERE id = ?", transfer).Scan(&runKey).Error; err != nil {
		return "", fmt.Errorf("read run key: %w", err)
	}
	return runKey, nil
}
