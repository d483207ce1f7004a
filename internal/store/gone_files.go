package store

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// GoneFilter says which files of a collection a scan has met, and where it could not look.
type GoneFilter struct {
	Met    func(tasks.FileKey) bool
	Hidden func(path string) bool // what is there is not known
}

// goneScan is how many files of a collection are looked at in one query.
const goneScan = 2000

// RemoveGone removes files from a collection that a scan has not met, and returns how
// many they are. Files in folders that could not be read stay, and neither those nor
// paths that could never be read are counted.
func (s *Store) RemoveGone(ctx context.Context, runKey string, f GoneFilter) (gone int64, err error) {
	var after tasks.FileKey
	for {
		page, err := s.seenAfter(ctx, runKey, after)
		if err != nil {
			return gone, err
		}
		missing := make(map[int64][]seenFileRow)
		for _, r := range page {
			if after = (tasks.FileKey{Transfer: r.TransferID, File: r.FileNo}); !f.Met(after) {
				missing[r.TransferID] = append(missing[r.TransferID], r)
			}
		}
		for _, of := range sortedKeys(missing) {
			n, err := s.removeMissing(ctx, missing[of], f.Hidden)
			if gone += n; err != nil {
				return gone, err
			}
		}
		if len(page) < goneScan {
			return gone, nil
		}
	}
}

// CountOthers counts the files of a collection but for those of a transfer from a number on,
// and for emitted ones.
func (s *Store) CountOthers(ctx context.Context, runKey string, from tasks.FileKey) (n int64, err error) {
	count := func(where string, args ...any) (n int64) {
		if err == nil {
			err = s.db.Session(ctx).Model(&seenFileRow{}).Where("run_key = ? AND top_no = 0", runKey).Where(where, args...).Count(&n).Error
		}
		return n
	}
	n = count("transfer_id < ?", from.Transfer) + count("transfer_id > ?", from.Transfer) +
		count("transfer_id = ? AND file_no < ?", from.Transfer, from.File)
	if err != nil {
		return 0, fmt.Errorf("count the files of a collection: %w", err)
	}
	return n, nil
}

// seenAfter reads files of a collection after a key, but for emitted ones, which no scan
// meets.
func (s *Store) seenAfter(ctx context.Context, runKey string, after tasks.FileKey) (rows []seenFileRow, err error) {
	page := func(limit int, where string, args ...any) (some []seenFileRow, err error) {
		err = s.db.Session(ctx).Where("run_key = ? AND top_no = 0", runKey).Where(where, args...).
			Order("transfer_id, file_no").Limit(limit).Find(&some).Error
		if err != nil {
			return nil, fmt.Errorf("list the files of a collection: %w", err)
		}
		return some, nil
	}
	// Not one query with an OR: MySQL would read the collection from its beginning.
	rows, err = page(goneScan, "transfer_id = ? AND file_no > ?", after.Transfer, after.File)
	if err != nil || len(rows) == goneScan {
		return rows, err
	}
	further, err := page(goneScan-len(rows), "transfer_id > ?", after.Transfer)
	return append(rows, further...), err
}

// removeMissing removes files of one transfer from its collection.
func (s *Store) removeMissing(ctx context.Context, rows []seenFileRow, hidden func(path string) bool) (gone int64, err error) {
	numbers := make([]int64, len(rows))
	for i := range rows {
		numbers[i] = rows[i].FileNo
	}
	files, err := s.Files(ctx, rows[0].TransferID, tasks.NewRanges(numbers))
	if err != nil {
		return 0, err
	}
	byNo := make(map[int64]*tasks.File, len(files))
	for i := range files {
		byNo[files[i].No] = &files[i]
	}
	var hashes [][]byte
	for i := range rows {
		file := byNo[rows[i].FileNo]
		if file != nil && hidden(file.Path) {
			continue
		}
		hashes = append(hashes, rows[i].PathHash)
		if rows[i].Size != unreadableSize && (file == nil || file.Part <= 1) { // the first chunk stands for the whole file
			gone++
		}
	}
	if len(hashes) == 0 {
		return 0, nil
	}
	return gone, s.db.Write(ctx, "remove files that are gone", func(tx *gorm.DB, _ time.Time) error {
		err := tx.Where("run_key = ? AND transfer_id = ? AND path_hash IN ?", rows[0].RunKey, rows[0].TransferID, hashes).
			Delete(&seenFileRow{}).Error
		if err != nil {
			return err
		}
		return markStale(tx, rows[0].RunKey)
	})
}

// pathsBelow are the bounds of the paths below a path: the first that may be, and the first
// behind them.
func pathsBelow(path string) (below, beyond string) {
	below = strings.TrimSuffix(path, string(os.PathSeparator)) + string(os.PathSeparator)
	return below, below[:len(below)-1] + string(rune(os.PathSeparator)+1)
}

// HasFilesAt reports whether a collection has a file at a path or below it that could be
// read.
func (s *Store) HasFilesAt(ctx context.Context, runKey, path string) (bool, error) {
	below, beyond := pathsBelow(path)
	var found []int64
	err := s.db.Session(ctx).Table("seen_files s").
		Joins("JOIN files f ON f.transfer_id = s.transfer_id AND f.no = s.file_no").
		Where("s.run_key = ? AND s.size >= 0 AND (s.missing = 0 OR s.accepted = 0)", runKey).
		Where("(f.path = ? OR f.path >= ? AND f.path < ?)", []byte(path), []byte(below), []byte(beyond)).
		Limit(1).Pluck("f.no", &found).Error
	if err != nil {
		return false, fmt.Errorf("look for earlier files at %s: %w", path, err)
	}
	return len(found) > 0, nil
}
