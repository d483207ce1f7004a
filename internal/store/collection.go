package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// CollectionFiles reads up to limit files of a collection after a key.
func (s *Store) CollectionFiles(ctx context.Context, c ledger.Collection, after tasks.FileKey, limit int) ([]tasks.CollectedFile, error) {
	if c.RunKey == "" {
		return s.collectFiles(s.db.Session(ctx).Where("f.transfer_id = ? AND f.no > ?", c.Transfer, after.File), "f.transfer_id, f.no", limit)
	}
	seen := func() *gorm.DB {
		return s.db.Session(ctx).Joins("JOIN seen_files s ON s.transfer_id = f.transfer_id AND s.file_no = f.no").
			Where("s.run_key = ? AND s.missing = 0", c.RunKey)
	}
	// Not by the equal columns of f: SQLite would look up each file of the transfer among
	// those seen, behind a key that only f is searched by.
	const order = "s.transfer_id, s.file_no"
	// Not one query with an OR: MySQL would read the collection from its beginning.
	files, err := s.collectFiles(seen().Where("s.transfer_id = ? AND s.file_no > ?", after.Transfer, after.File), order, limit)
	if err != nil || len(files) == limit {
		return files, err
	}
	further, err := s.collectFiles(seen().Where("s.transfer_id > ?", after.Transfer), order, limit-len(files))
	return append(files, further...), err
}

// collectFiles reads files f in an order.
func (s *Store) collectFiles(q *gorm.DB, order string, limit int) (files []tasks.CollectedFile, err error) {
	var rows []fileRow
	if err := q.Table("files f").Select("f.*").Order(order).Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read files of a collection: %w", err)
	}
	for i := range rows {
		files = append(files, tasks.CollectedFile{Transfer: rows[i].TransferID, File: rows[i].file()})
	}
	return files, s.completeEmitted(q.Statement.Context, files)
}

// CollectionTotals counts the files of a collection, and adds up their sizes.
func (s *Store) CollectionTotals(ctx context.Context, c ledger.Collection) (files, bytes int64, err error) {
	q := s.db.Session(ctx).Table("files").Where("transfer_id = ?", c.Transfer)
	if c.RunKey != "" {
		q = s.db.Session(ctx).Table("seen_files").Where("run_key = ? AND missing = 0", c.RunKey)
	}
	var sum struct{ Files, Bytes int64 }
	err = q.Select("COUNT(*) AS files, COALESCE(SUM(CASE WHEN size > 0 THEN size ELSE 0 END), 0) AS bytes").Scan(&sum).Error
	if err != nil {
		return 0, 0, fmt.Errorf("count the files of a collection: %w", err)
	}
	return sum.Files, sum.Bytes, nil
}

// CollectionResults lists up to limit results of a collection's files after a key, in
// the order of transfers, steps and files.
func (s *Store) CollectionResults(
	ctx context.Context, c ledger.Collection, f tasks.ResultSelector, after tasks.CollectedKey, limit int,
) (results []tasks.CollectedResult, err error) {
	if c.RunKey == "" {
		after.Transfer = c.Transfer
		return s.collectResults(ctx, "", f, after, limit)
	}
	for {
		page, err := s.collectResults(ctx, c.RunKey, f, after, limit-len(results))
		if results = append(results, page...); err != nil || len(results) == limit {
			return results, err
		}
		var next struct{ ID *int64 }
		err = s.db.Session(ctx).Table("seen_files").Select("MIN(transfer_id) AS id").
			Where("run_key = ? AND transfer_id > ?", c.RunKey, after.Transfer).Scan(&next).Error
		if err != nil {
			return nil, fmt.Errorf("list results of a collection: %w", err)
		}
		if next.ID == nil {
			return results, nil
		}
		after = tasks.CollectedKey{Transfer: *next.ID}
	}
}

// byPlace makes the database look files up by their place. Left alone, SQLite reads all
// files of the run for each of them.
func (s *Store) byPlace() string {
	if s.db.Dialect() == db.SQLite {
		return "INDEXED BY seen_files_place"
	}
	return "FORCE INDEX (seen_files_place)"
}

// collectResults lists results of one transfer: with a run key, those of files whose
// newest results they are.
func (s *Store) collectResults(
	ctx context.Context, runKey string, f tasks.ResultSelector, after tasks.CollectedKey, limit int,
) ([]tasks.CollectedResult, error) {
	newest := func(q *gorm.DB) *gorm.DB {
		if runKey == "" {
			return q
		}
		return q.Where(`EXISTS (SELECT 1 FROM seen_files s `+s.byPlace()+`
			WHERE s.run_key = ? AND s.transfer_id = k.transfer_id AND s.file_no = k.file_no AND s.missing = 0)`, runKey)
	}
	rows, err := s.results(ctx, newest, after.Transfer, f, after.ResultKey, limit)
	results := make([]tasks.CollectedResult, len(rows))
	for i := range rows {
		results[i] = tasks.CollectedResult{Transfer: after.Transfer, ResultRow: rows[i]}
	}
	return results, err
}
