package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// markList notes how much of a transfer's list is registered. The transaction must have
// changed the transfer.
func markList(tx *gorm.DB, transfer int64, list tasks.ListMark) error {
	if list.Paths == 0 {
		return nil
	}
	err := tx.Exec("UPDATE transfers SET list_paths = ?, list_digest = ? WHERE id = ?", list.Paths, list.Digest[:], transfer).Error
	if err != nil {
		return fmt.Errorf("note how much of the list is registered: %w", err)
	}
	return nil
}

// Unregistered returns the first of some paths that no file of a transfer has; "" when
// each is there.
func (s *Store) Unregistered(ctx context.Context, transfer int64, paths []string) (string, error) {
	keys := make([][]byte, len(paths))
	for i, p := range paths {
		keys[i] = []byte(p)
	}
	var there []string
	err := s.db.Session(ctx).Model(&fileRow{}).Where("transfer_id = ? AND path IN ?", transfer, keys).Pluck("path", &there).Error
	if err != nil {
		return "", fmt.Errorf("look for paths among the files: %w", err)
	}
	has := make(map[string]bool, len(there))
	for _, p := range there {
		has[p] = true
	}
	for _, p := range paths {
		if !has[p] {
			return p, nil
		}
	}
	return "", nil
}
