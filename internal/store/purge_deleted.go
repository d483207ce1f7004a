package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
)

// deletePage is how many rows one transaction of PurgeDeleted deletes: a small part of
// what a worker commits in the same time, so that workers do not wait for it.
const deletePage = 1000

// leftover is a table with rows of transfers, and the columns of its primary key.
type leftover struct {
	table string
	keys  []string
	also  string // a further condition
}

// leftovers lists the tables in the order in which they are emptied: the batches first,
// because without one no result is recorded for a transfer.
func leftovers() []leftover {
	return []leftover{
		{table: "batches", keys: []string{"id"}},
		{table: "results", keys: []string{"transfer_id", "step_no", "file_no"}},
		{table: "reusable_results", keys: []string{"file_key", "fingerprint"}},
		{table: "failures", keys: []string{"transfer_id", "step_no", "file_no"}},
		{table: "attempts", keys: []string{"id"}},
		{table: "canceled_files", keys: []string{"transfer_id", "file_no"}},
		{table: "batch_history", keys: []string{"transfer_id", "batch_id"}},
		{table: "activity", keys: []string{"transfer_id", "slot"}},
		{table: "work_times", keys: []string{"transfer_id", "step_no", "worker", "started_us"}},
		// The last load of each chunk stays, with its rejected lines: their rows are still in
		// the table, and the next load must not load them twice.
		{table: "loads", keys: []string{"transfer_id", "step_no", "file_no", "byte_offset"}, also: ` AND (target = '' OR EXISTS (
			SELECT 1 FROM loads n WHERE n.target = loads.target AND n.source = loads.source
				AND n.content_offset = loads.content_offset AND n.transfer_id > loads.transfer_id))`},
		{table: "rejected_lines", keys: []string{"transfer_id", "step_no", "file_no", "line"}, also: ` AND NOT EXISTS (
			SELECT 1 FROM loads l WHERE l.transfer_id = rejected_lines.transfer_id AND l.step_no = rejected_lines.step_no
				AND l.file_no = rejected_lines.file_no AND rejected_lines.line >= l.line_no AND rejected_lines.line < l.line_no + l.lines)`},
		{table: "emitted_files", keys: []string{"transfer_id", "parent_no", "step_no", "name_hash"}},
		{table: "files", keys: []string{"transfer_id", "no"}},
		{table: "finalize_steps", keys: []string{"transfer_id", "no"}},
		{table: "steps", keys: []string{"transfer_id", "no"}},
		// Messages that are not delivered yet are still sent; PurgeWebhooks deletes them later.
		{table: "webhook_deliveries", keys: []string{"id"}, also: " AND due_at IS NULL"},
	}
}

// PurgeDeleted deletes what remains of deleted transfers, a page in each transaction, until
// nothing does or ctx ends. It may be stopped at any point, and run by several at once.
func (s *Store) PurgeDeleted(ctx context.Context) error {
	for {
		var gone []tombstone
		err := s.db.Session(ctx).Where("purged_at IS NULL").Order("transfer_id").Limit(1).Find(&gone).Error
		if err != nil {
			return fmt.Errorf("look for deleted transfers: %w", err)
		}
		if len(gone) == 0 {
			return nil
		}
		if err := s.purge(ctx, &gone[0]); err != nil {
			return err
		}
	}
}

// purge deletes what remains of one transfer.
func (s *Store) purge(ctx context.Context, t *tombstone) error {
	for _, l := range leftovers() {
		for {
			n, err := s.deletePage(ctx, l, t.TransferID)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	if err := s.blankRejected(ctx, t.TransferID); err != nil {
		return err
	}
	if t.Forget && t.RunKey != "" {
		if err := s.forget(ctx, t); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, "end deletion", func(tx *gorm.DB, now time.Time) error {
		return tx.Model(&tombstone{}).Where("transfer_id = ?", t.TransferID).Update("purged_at", now).Error
	})
}

func (s *Store) deletePage(ctx context.Context, l leftover, transfer int64) (n int64, err error) {
	statement, args := "DELETE FROM "+l.table+" WHERE transfer_id = ?"+l.also+" LIMIT ?", []any{transfer, deletePage}
	if s.db.Dialect() == db.SQLite || l.also != "" {
		// SQLite knows no DELETE with LIMIT, and MySQL no condition on the table that it deletes
		// from but in a derived one.
		keys := strings.Join(l.keys, ", ")
		statement = fmt.Sprintf(`DELETE FROM %s WHERE transfer_id = ? AND (%s) IN (
			SELECT * FROM (SELECT %s FROM %s WHERE transfer_id = ?%s LIMIT ?) AS page)`, l.table, keys, keys, l.table, l.also)
		args = []any{transfer, transfer, deletePage}
	}
	err = s.db.Write(ctx, "delete from "+l.table, func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec(statement, args...)
		n = u.RowsAffected
		return u.Error
	})
	return n, err
}

// blankRejected deletes the content of the rejected lines that stay known.
func (s *Store) blankRejected(ctx context.Context, transfer int64) error {
	for {
		var n int64
		err := s.db.Write(ctx, "delete rejected content", func(tx *gorm.DB, _ time.Time) error {
			u := tx.Exec(`UPDATE rejected_lines SET content = '', reason = '' WHERE transfer_id = ? AND (step_no, file_no, line) IN (
				SELECT * FROM (SELECT step_no, file_no, line FROM rejected_lines WHERE transfer_id = ? AND (content <> '' OR reason <> '')
					LIMIT ?) AS page)`, transfer, transfer, deletePage)
			n = u.RowsAffected
			return u.Error
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// forget deletes a transfer's files from what runs have seen. The table is read in the
// order of its key, because the transfer is no key of it.
func (s *Store) forget(ctx context.Context, t *tombstone) error {
	var after []byte
	for {
		var page []seenFileRow
		q := s.db.Session(ctx).Where("run_key = ?", t.RunKey).Order("path_hash").Limit(deletePage)
		if after != nil {
			q = q.Where("path_hash > ?", after)
		}
		if err := q.Find(&page).Error; err != nil {
			return fmt.Errorf("read seen files: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		after = page[len(page)-1].PathHash
		var hashes [][]byte
		for i := range page {
			if page[i].TransferID == t.TransferID {
				hashes = append(hashes, page[i].PathHash)
			}
		}
		if len(hashes) == 0 {
			continue
		}
		err := s.db.Write(ctx, "forget files", func(tx *gorm.DB, _ time.Time) error {
			return tx.Exec("DELETE FROM seen_files WHERE run_key = ? AND transfer_id = ? AND path_hash IN ?",
				t.RunKey, t.TransferID, hashes).Error
		})
		if err != nil {
			return err
		}
	}
}

// DeleteStrayBatches deletes batches of transfers that were deleted while another
// process was about to write the batch.
func (s *Store) DeleteStrayBatches(ctx context.Context) (n int64, err error) {
	var ids []int64
	err = s.db.Session(ctx).Raw(`SELECT b.id FROM batches b JOIN tombstones d ON d.transfer_id = b.transfer_id LIMIT ?`, deletePage).
		Scan(&ids).Error
	if err != nil {
		return 0, fmt.Errorf("look for stray batches: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	err = s.db.Write(ctx, "delete stray batches", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("DELETE FROM batches WHERE id IN ?", ids)
		n = u.RowsAffected
		return u.Error
	})
	return n, err
}
