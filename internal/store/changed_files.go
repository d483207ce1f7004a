package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"os"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// seenFileRow is a file of the collection with the run key: it says which transfer has
// registered it last, and as what.
type seenFileRow struct {
	RunKey     string `gorm:"primaryKey"`
	PathHash   []byte `gorm:"primaryKey"`
	TransferID int64
	Size       int64 // unreadableSize when the scan could not read it
	Mtime      int64 // microseconds since 1970, 0 when unknown; of an object a number made of its version
	FileNo     int64 // in the transfer
	Accepted   bool  // a person has accepted that it fails

	// Where the file was registered before with the same size and modification time,
	// until the digests of both are compared; 0 when there is nothing to compare.
	WasTransferID int64
	WasFileNo     int64

	Damaged bool // when it was read last, its content had another digest than in the transfer

	Missing bool        // a fixity run has not found it; accepted then says that a person knows
	News    ledger.News // what a fixity run has found and not reported yet

	// TopNo, unless it is 0, says that a handler made the file of this one, which the same
	// transfer registered: it belongs to the collection as long as that one does.
	TopNo int64
}

// TableName names the table to GORM.
func (seenFileRow) TableName() string { return "seen_files" }

// unreadableSize stands for the size of what a scan could not read.
const unreadableSize = -1

// pathHash is how long the keys of paths are.
const pathHash = 4 + 16

// hashPath shortens a path, and the number of a part in it, to a key; 128 bits
// never collide by chance. It begins with the folder, so that files that come together
// are neighbours in the table: few pages are read and written then.
func hashPath(f *tasks.File) []byte {
	key := []byte(f.Path)
	folder := crc32.ChecksumIEEE(key[:bytes.LastIndexByte(key, os.PathSeparator)+1])
	if f.Part > 0 {
		key = strconv.AppendInt(append(key, 0), f.Part, 10) // no path holds a NUL
	}
	h := sha256.Sum256(key)
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, pathHash), folder), h[:pathHash-4]...)
}

func newSeenFile(runKey string, transfer int64, f *tasks.File) seenFileRow {
	row := seenFileRow{RunKey: runKey, PathHash: hashPath(f), TransferID: transfer, FileNo: f.No}
	row.Size, row.Mtime = seenAs(f)
	if f.Emitted != nil {
		row.TopNo = f.Emitted.Top
	}
	return row
}

// seenAs returns the values by which a file counts as unchanged.
func seenAs(f *tasks.File) (size, mtime int64) {
	switch {
	case f.ScanError != "": // the same reason is the same file
		reason, _, _ := strings.Cut(f.ScanError, ":")
		h := fnv.New32a()
		_, _ = h.Write([]byte(reason)) // it never fails
		return unreadableSize, int64(h.Sum32())
	case f.Version != "": // it stands for the time, too: one second may see two versions
		h := sha256.Sum256([]byte(recordedVersion(f.Version)))
		return f.Size, int64(binary.BigEndian.Uint64(h[:])) // any number will do
	case f.MTime.IsZero():
		return f.Size, 0
	}
	return f.Size, f.MTime.UnixMicro()
}

func noteSeen(tx *gorm.DB, dialect db.Dialect, a *FileBatch) error {
	if a.RunKey == "" {
		return nil
	}
	rows := make([]seenFileRow, 0, len(a.Files))
	for i := range a.Files {
		row := newSeenFile(a.RunKey, a.Transfer, &a.Files[i])
		if a.Fixity {
			if row.Size == unreadableSize {
				continue // it is still to be compared with what it was
			}
			row.News = ledger.NewsAdded
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(x, y seenFileRow) int { return bytes.Compare(x.PathHash, y.PathHash) }) // neighbours share a page
	tx = tx.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "run_key"}, {Name: "path_hash"}}, DoUpdates: moveSeen(dialect),
	})
	var err error
	if dialect == db.SQLite {
		err = db.InsertEach(tx, rows, func(*seenFileRow) int { return 0 })
	} else {
		err = tx.CreateInBatches(rows, db.RowsPerInsert(tx)).Error
	}
	if err != nil {
		return fmt.Errorf("note files as seen: %w", err)
	}
	return nil
}

// moveSeen moves a file of a collection to the transfer that registers it again. A file
// with the same size and modification time keeps a reference to its former transfer, unless
// it was damaged and a person has accepted it. MySQL assigns columns in this order, so a
// column that others are computed from comes after them.
func moveSeen(dialect db.Dialect) clause.Set {
	inserted := func(column string) string { return "excluded." + column }
	if dialect == db.MySQL {
		inserted = func(column string) string { return "VALUES(" + column + ")" }
	}
	was := func(column string) clause.Assignment {
		return clause.Assignment{Column: clause.Column{Name: "was_" + column}, Value: gorm.Expr(fmt.Sprintf(
			`CASE WHEN seen_files.size <> %s OR seen_files.mtime <> %s OR seen_files.transfer_id = %s
					OR seen_files.damaged = 1 AND seen_files.accepted = 1 THEN 0
				WHEN seen_files.was_transfer_id > 0 THEN seen_files.was_%s ELSE seen_files.%s END`,
			inserted("size"), inserted("mtime"), inserted("transfer_id"), column, column))}
	}
	news := clause.Assignment{Column: clause.Column{Name: "news"}, Value: gorm.Expr(fmt.Sprintf(
		`CASE WHEN %s = 0 THEN 0 WHEN seen_files.news > 0 THEN seen_files.news
			WHEN seen_files.missing = 1 AND seen_files.accepted = 1 THEN %d
			WHEN seen_files.size <> %s OR seen_files.mtime <> %s OR seen_files.damaged = 1 AND seen_files.accepted = 1 THEN %d ELSE 0 END`,
		inserted("news"), ledger.NewsAdded, inserted("size"), inserted("mtime"), ledger.NewsChanged))}
	// The number comes first: it is computed from the former transfer.
	return append(clause.Set{news, was("file_no"), was("transfer_id")},
		clause.AssignmentColumns([]string{"transfer_id", "size", "mtime", "file_no", "accepted", "damaged", "missing", "top_no"})...)
}

// CompareFiles says of each file how it compares with the collection of a run key. Files
// that failed in the transfer of the run itself count as unchanged.
func (s *Store) CompareFiles(ctx context.Context, runKey string, current int64, files []tasks.File) ([]ledger.SeenFile, error) {
	hashes := make([][]byte, len(files))
	for i := range files {
		hashes[i] = hashPath(&files[i])
	}
	rows, err := s.seenFiles(ctx, runKey, hashes)
	if err != nil {
		return nil, err
	}
	known := make(map[string]int, len(rows))
	numbers := make(map[int64][]int64)
	for i := range rows {
		known[string(rows[i].PathHash)] = i
		if of := rows[i].TransferID; of != current {
			numbers[of] = append(numbers[of], rows[i].FileNo)
		}
	}
	failed, err := s.FailedFiles(ctx, numbers)
	if err != nil {
		return nil, err
	}
	canceled, err := s.FilterCanceled(ctx, sortedKeys(numbers))
	if err != nil {
		return nil, err
	}
	seen := make([]ledger.SeenFile, len(files))
	for i := range files {
		at, ok := known[string(hashes[i])]
		if !ok {
			seen[i].Status = ledger.Added
			continue
		}
		was := &rows[at]
		size, mtime := seenAs(&files[i])
		seen[i].At = tasks.FileKey{Transfer: was.TransferID, File: was.FileNo}
		switch {
		case was.Size != size || was.Mtime != mtime:
			seen[i].Status = ledger.Changed
		case slices.Contains(canceled, was.TransferID):
			seen[i].Status = ledger.Unfinished
		case was.Accepted && (was.Damaged || failed[seen[i].At]):
			seen[i].Status = ledger.Accepted
		case was.Damaged || failed[seen[i].At]:
			seen[i].Status = ledger.Failed
		}
	}
	return seen, nil
}

// ComparePage is how many files CompareFiles best takes at a time: the statement of such
// a page is prepared once.
const ComparePage = 1000

// seenFiles reads files of a collection by their keys. It scans as readFiles does.
func (s *Store) seenFiles(ctx context.Context, runKey string, hashes [][]byte) (rows []seenFileRow, err error) {
	var r seenFileRow
	into := []any{
		&r.PathHash, (*integer)(&r.TransferID), (*integer)(&r.Size), (*integer)(&r.Mtime), (*integer)(&r.FileNo), &r.Accepted, &r.Damaged,
	}
	sorted := slices.SortedFunc(slices.Values(hashes), bytes.Compare) // SQLite sorts them again, faster
	q := s.db.Session(ctx).Model(&seenFileRow{}).Where("run_key = ? AND path_hash IN ?", runKey, sorted).
		Select("path_hash", "transfer_id", "size", "mtime", "file_no", "accepted", "damaged")
	if err := scan(q, into, func() { rows = append(rows, r) }); err != nil {
		return nil, fmt.Errorf("look up seen files: %w", err)
	}
	return rows, nil
}
