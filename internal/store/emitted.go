package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// RegisterEmitted gives emitted files their numbers, behind those that the transfer has,
// and makes them files of the transfer. Until the transfer is sealed its producer gives the
// numbers, so the files wait: then nothing is registered. completed says that the transfer
// ended by it, because no step selects the last of them.
func (s *Store) RegisterEmitted(ctx context.Context, p ledger.EmittedPage) (started []tasks.Batch, completed bool, err error) {
	err = s.db.Write(ctx, "register emitted files", func(tx *gorm.DB, now time.Time) error {
		started, completed = nil, false
		t, err := lockTransfer(tx, p.Transfer, s.db.Dialect())
		if err != nil || t.State != tasks.StateRunning {
			return err
		}
		rows, err := waitingEmitted(tx, p)
		if err != nil || len(rows) == 0 {
			return err
		}
		a := FileBatch{Transfer: p.Transfer, Files: make([]tasks.File, len(rows))}
		for i := range rows {
			a.Files[i] = rows[i].file()
		}
		if err := db.BulkInsert(tx, "files", fileColumns(), a.rows(t.Files+1), (*fileRow).size); err != nil {
			return err
		}
		if err := numberEmitted(tx, rows, t.Files+1); err != nil {
			return err
		}
		if p.Collected && t.RunKey != "" {
			a.RunKey = t.RunKey
			if err := noteSeen(tx, s.db.Dialect(), &a); err != nil {
				return err
			}
			if err := markStale(tx, t.RunKey); err != nil {
				return err
			}
		}
		var f ledger.FollowUp
		if p.Start != nil {
			f = p.Start(a.Files)
		}
		if err := insertBatches(tx, f.Batches, now); err != nil {
			return err
		}
		started = f.Batches
		completed, err = countEmitted(tx, &a, &f, now)
		return err
	})
	return started, completed, err
}

// waitingEmitted reads the next files that have no number.
func waitingEmitted(tx *gorm.DB, p ledger.EmittedPage) (rows []emittedRow, err error) {
	err = tx.Where("transfer_id = ? AND file_no IS NULL", p.Transfer).
		Order("parent_no, step_no, position").Limit(p.Limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read emitted files: %w", err)
	}
	return rows, nil
}

// numberEmitted notes the numbers of files, which are consecutive from first on: in one
// statement for those of one parent whose positions are consecutive, too.
func numberEmitted(tx *gorm.DB, rows []emittedRow, first int64) error {
	for at := 0; at < len(rows); {
		begin, end := &rows[at], at+1
		for end < len(rows) && rows[end].ParentNo == begin.ParentNo && rows[end].StepNo == begin.StepNo &&
			rows[end].Position == begin.Position+int64(end-at) {
			end++
		}
		u := tx.Exec(`UPDATE emitted_files SET file_no = position + ?
			WHERE transfer_id = ? AND parent_no = ? AND step_no = ? AND file_no IS NULL AND position BETWEEN ? AND ?`,
			first+int64(at)-begin.Position, begin.TransferID, begin.ParentNo, begin.StepNo, begin.Position, rows[end-1].Position)
		if u.Error != nil {
			return fmt.Errorf("number emitted files: %w", u.Error)
		}
		if u.RowsAffected != int64(end-at) {
			return fmt.Errorf("number emitted files: %d rows instead of %d", u.RowsAffected, end-at)
		}
		at = end
	}
	return nil
}

// countEmitted counts files that are registered now.
func countEmitted(tx *gorm.DB, a *FileBatch, f *ledger.FollowUp, now time.Time) (completed bool, err error) {
	if err := addSelected(tx, a.Transfer, selectedBySteps(f.Batches)); err != nil {
		return false, err
	}
	_, _, bytes := a.span()
	err = tx.Exec(`UPDATE transfers SET files = files + ?, bytes = bytes + ?, emitted_registered = emitted_registered + ?,
		finished = finished + ? WHERE id = ?`, len(a.Files), bytes, len(a.Files), f.Finished, a.Transfer).Error
	if err != nil {
		return false, fmt.Errorf("count emitted files: %w", err)
	}
	if f.Finished == 0 {
		return false, nil
	}
	return completeIfDone(tx, a.Transfer, now)
}

// withEmissions adds to files that handlers emitted what they were made from, and where.
// Without such files it makes no query.
func (s *Store) withEmissions(ctx context.Context, transfer int64, files []tasks.File) ([]tasks.File, error) {
	at := make(map[int64]*tasks.File)
	var numbers []int64
	for i := range files {
		if files[i].Emitted != nil {
			at[files[i].No] = &files[i]
			numbers = append(numbers, files[i].No)
		}
	}
	if len(numbers) == 0 {
		return files, nil
	}
	var rows []emittedRow
	q := s.db.Session(ctx).Where("transfer_id = ?", transfer)
	if err := db.WhereInRanges(q, "file_no", tasks.NewRanges(numbers)).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read what files were made from: %w", err)
	}
	for i := range rows {
		if f := at[*rows[i].FileNo]; f != nil {
			f.Emitted = rows[i].emission()
		}
	}
	return files, nil
}

// EmittedFrom counts what has been made so far of the file from the sources from which a
// file was made, but for what was made of that file itself: a handler that runs again makes
// the same.
func (s *Store) EmittedFrom(ctx context.Context, transfer int64, f *tasks.File) (e ledger.EmittedFiles, err error) {
	if f.Emitted == nil {
		return ledger.EmittedFiles{TopSize: f.Size}, nil
	}
	err = s.db.Session(ctx).Raw(`SELECT COUNT(*) AS files, COALESCE(SUM(size), 0) AS bytes,
			(SELECT size FROM files WHERE transfer_id = ? AND no = ?) AS top_size
		FROM emitted_files WHERE transfer_id = ? AND top_no = ? AND parent_no <> ?`,
		transfer, f.Emitted.Top, transfer, f.Emitted.Top, f.No).Scan(&e).Error
	if err != nil {
		return e, fmt.Errorf("count emitted files: %w", err)
	}
	return e, nil
}

// completeEmitted does as withEmissions for files of several transfers.
func (s *Store) completeEmitted(ctx context.Context, files []tasks.CollectedFile) error {
	byTransfer := make(map[int64][]int)
	for i := range files {
		if files[i].Emitted != nil {
			byTransfer[files[i].Transfer] = append(byTransfer[files[i].Transfer], i)
		}
	}
	for _, transfer := range sortedKeys(byTransfer) {
		some := make([]tasks.File, 0, len(byTransfer[transfer]))
		for _, i := range byTransfer[transfer] {
			some = append(some, files[i].File)
		}
		some, err := s.withEmissions(ctx, transfer, some)
		if err != nil {
			return err
		}
		for at, i := range byTransfer[transfer] {
			files[i].File = some[at]
		}
	}
	return nil
}

// foldersPerQuery is how many folders one query of EmittedIn asks for: SQLite takes up to 500
// parts of a query.
const foldersPerQuery = 200

// EmittedIn reports which of some folders hold files that a step has made of their file.
func (s *Store) EmittedIn(
	ctx context.Context, transfer int64, step int, folders []ledger.EmittedFolder,
) (map[ledger.EmittedFolder]bool, error) {
	kept := make(map[ledger.EmittedFolder]bool, len(folders))
	for page := range slices.Chunk(folders, foldersPerQuery) {
		parts := make([]string, len(page))
		var args []any
		for i, f := range page {
			parts[i] = `SELECT ? AS folder WHERE EXISTS (SELECT 1 FROM emitted_files
				WHERE transfer_id = ? AND parent_no = ? AND step_no = ? AND path >= ? AND path < ?)`
			args = append(args, i, transfer, f.File, step, []byte(f.Path+"/"), []byte(f.Path+"0")) // 0 is the byte behind the slash
			kept[f] = false
		}
		var found []int
		if err := s.db.Session(ctx).Raw(strings.Join(parts, " UNION ALL "), args...).Scan(&found).Error; err != nil {
			return nil, fmt.Errorf("look for emitted files: %w", err)
		}
		for _, i := range found {
			kept[page[i]] = true
		}
	}
	return kept, nil
}

// EmissionBases lists the folders below which a step has made what it emitted, by the files that
// it was made of.
func (s *Store) EmissionBases(ctx context.Context, transfer int64, step int, parents tasks.Ranges) (map[int64][]string, error) {
	var rows []struct {
		ParentNo int64
		Base     []byte
	}
	q := s.db.Session(ctx).Model(&emittedRow{}).Distinct("parent_no", "SUBSTR(path, 1, base_length) AS base").
		Where("transfer_id = ? AND step_no = ? AND base_length > 0", transfer, step)
	if err := db.WhereInRanges(q, "parent_no", parents).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("look for folders of emitted files: %w", err)
	}
	bases := make(map[int64][]string, len(rows))
	for _, r := range rows {
		bases[r.ParentNo] = append(bases[r.ParentNo], string(r.Base))
	}
	return bases, nil
}
