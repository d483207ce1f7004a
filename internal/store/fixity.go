package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// baselineOverlap is how far before the last search the next one begins: a transfer may
// have ended before the last search, and committed its end only after it.
const baselineOverlap = 10 * time.Minute

// Baseline says which transfers of the same sources belong to what a fixity run compares with.
type Baseline struct {
	Transfers []int64   // oldest first
	At        time.Time // those that ended later are for the next run
}

// Baseline lists the transfers that have ended since an earlier fixity run with the run key
// has added those before to its collection.
func (s *Store) Baseline(ctx context.Context, sourcesKey, runKey string) (b Baseline, err error) {
	b.At = s.db.Stamp()
	var added []transferRow
	err = s.db.Session(ctx).Select("baseline_at").Where("run_key = ? AND baseline_at IS NOT NULL", runKey).
		Order("baseline_at DESC").Limit(1).Find(&added).Error
	if err == nil {
		q := s.db.Session(ctx).Model(&transferRow{}).Where("sources_key = ? AND run_key <> ? AND ended_at IS NOT NULL", sourcesKey, runKey)
		if len(added) > 0 {
			q = q.Where("ended_at >= ?", added[0].BaselineAt.Add(-baselineOverlap))
		}
		err = q.Order("id").Pluck("id", &b.Transfers).Error
	}
	if err != nil {
		return b, fmt.Errorf("look for earlier transfers of the same sources: %w", err)
	}
	return b, nil
}

// NoteBaseline notes with a transfer of a fixity run that a baseline is part of its collection.
func (s *Store) NoteBaseline(ctx context.Context, transfer int64, at time.Time) error {
	return s.db.Write(ctx, "note what files are compared with", func(tx *gorm.DB, _ time.Time) error {
		return tx.Model(&transferRow{}).Where("id = ?", transfer).Update("baseline_at", at).Error
	})
}

// Adopt puts files of a transfer into a collection, in the place of what it has of their
// paths, but for files that are still to be compared.
func (s *Store) Adopt(ctx context.Context, runKey string, transfer int64, files []tasks.File) error {
	if len(files) == 0 {
		return nil
	}
	rows := make([]seenFileRow, len(files))
	hashes := make([][]byte, len(files))
	for i := range files {
		rows[i] = newSeenFile(runKey, transfer, &files[i])
		hashes[i] = rows[i].PathHash
	}
	return s.db.Write(ctx, "add files to a collection", func(tx *gorm.DB, _ time.Time) error {
		err := tx.Where("run_key = ? AND was_transfer_id = 0 AND path_hash IN ?", runKey, hashes).Delete(&seenFileRow{}).Error
		if err != nil {
			return err
		}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(rows, db.RowsPerInsert(tx)).Error
	})
}

// FoundFiles lists up to limit files of a collection that a transfer has registered last,
// those above after.
func (s *Store) FoundFiles(ctx context.Context, runKey string, transfer, after int64, limit int) ([]ledger.RereadFile, error) {
	var rows []seenFileRow
	err := s.db.Session(ctx).Where("run_key = ? AND transfer_id = ? AND file_no > ?", runKey, transfer, after).
		Order("file_no").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list files that were found: %w", err)
	}
	files := make([]ledger.RereadFile, len(rows))
	for i, r := range rows {
		files[i] = ledger.RereadFile{No: r.FileNo, Was: tasks.FileKey{Transfer: r.WasTransferID, File: r.WasFileNo}, News: r.News}
	}
	return files, nil
}

// ForgetNews ends the report of what a transfer has found.
func (s *Store) ForgetNews(ctx context.Context, runKey string, transfer, files int64) error {
	const page = 10_000
	for first := int64(1); first <= files; first += page {
		err := s.db.Write(ctx, "note that new files are reported", func(tx *gorm.DB, _ time.Time) error {
			return tx.Model(&seenFileRow{}).
				Where("run_key = ? AND transfer_id = ? AND file_no BETWEEN ? AND ? AND news > 0", runKey, transfer, first, first+page-1).
				Update("news", 0).Error
		})
		if err != nil {
			return err
		}
	}
	return nil
}
