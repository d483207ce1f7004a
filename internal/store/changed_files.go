package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// seenFileRow is a file of the collection with the run key: it says which transfer has
// registered it last, and as what.
type seenFileRow struct {
	RunKey     string `gorm:"primaryKey"`
	PathHash   []byte `gorm:"primaryKey"`
	TransferID int64
	Size       int64
	Mtime      int64 // microseconds since 1970, 0 when unknown
	FileNo     int64 // in the transfer
}

// TableName names the table to GORM.
func (seenFileRow) TableName() string { return "seen_files" }

// hashPath shortens a path, and the number of a part in it, to a key; 128 bits
// never collide by chance.
func hashPath(f *tasks.File) []byte {
	key := []byte(f.Path)
	if f.Part > 0 {
		key = strconv.AppendInt(append(key, 0), f.Part, 10) // no path holds a NUL
	}
	h := sha256.Sum256(key)
	return h[:16]
}

func newSeenFile(runKey string, transfer int64, f *tasks.File) seenFileRow {
	row := seenFileRow{RunKey: runKey, PathHash: hashPath(f), TransferID: transfer, Size: f.Size, FileNo: f.No}
	if !f.MTime.IsZero() {
		row.Mtime = f.MTime.UnixMicro()
	}
	return row
}

func noteSeen(tx *gorm.DB, a FileBatch) error {
	if a.RunKey == "" {
		return nil
	}
	rows := make([]seenFileRow, len(a.Files))
	for i := range a.Files {
		rows[i] = newSeenFile(a.RunKey, a.Transfer, &a.Files[i])
	}
	err := tx.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "run_key"}, {Name: "path_hash"}},
		DoUpdates: clause.AssignmentColumns([]string{"transfer_id", "size", "mtime", "file_no"}),
	}).CreateInBatches(rows, db.RowsPerInsert(tx)).Error
	if err != nil {
		return fmt.Errorf("note files as seen: %w", err)
	}
	return nil
}

// ChangedFiles returns those of the files that no transfer with the run key has
// registered with the same path, size and modification time, in their order.
// Files of a canceled transfer count as unseen.
func (s *Store) ChangedFiles(ctx context.Context, runKey string, files []tasks.File) ([]tasks.File, error) {
	hashes := make([][]byte, len(files))
	for i := range files {
		hashes[i] = hashPath(&files[i])
	}
	var rows []seenFileRow
	err := s.db.Session(ctx).
		Where("run_key = ? AND path_hash IN ?", runKey, hashes).
		Where("transfer_id NOT IN (?)", s.db.Session(ctx).Table("transfers").Select("id").
			Where("run_key = ? AND state = ?", runKey, tasks.StateCanceled)).
		Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("look up seen files: %w", err)
	}
	known := make(map[string]seenFileRow, len(rows))
	for _, r := range rows {
		known[string(r.PathHash)] = r
	}
	var unseen []tasks.File
	for i := range files {
		was, ok := known[string(hashes[i])]
		is := newSeenFile(runKey, 0, &files[i])
		if ok && was.Size == is.Size && was.Mtime == is.Mtime {
			continue
		}
		unseen = append(unseen, files[i])
	}
	return unseen, nil
}
