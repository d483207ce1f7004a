package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// batchHistoryRow is what remains of a batch that has ended: when it waited and ran, and
// where. It is one small row beside the results of the batch's files. Times are in
// microseconds since 1970.
type batchHistoryRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	BatchID    int64 `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int
	Attempt    int
	Worker     string
	Items      int
	Failed     int
	Bytes      int64
	CreatedUs  int64
	StartedUs  int64 // 0: no file of it began
	EndedUs    int64
	SlowestNo  int64
	SlowestUs  int64
}

// TableName names the table to GORM.
func (batchHistoryRow) TableName() string { return "batch_history" }

func (r *batchHistoryRow) size() int { return 160 + len(r.Worker) }

func batchHistoryColumns() []db.BulkColumn[batchHistoryRow] {
	number := func(name string, of func(r *batchHistoryRow) int64) db.BulkColumn[batchHistoryRow] {
		return db.BulkColumn[batchHistoryRow]{Name: name, Write: func(l db.Literals, r *batchHistoryRow) db.Literals { return l.Number(of(r)) }}
	}
	return []db.BulkColumn[batchHistoryRow]{
		number("transfer_id", func(r *batchHistoryRow) int64 { return r.TransferID }),
		number("batch_id", func(r *batchHistoryRow) int64 { return r.BatchID }),
		number("step_no", func(r *batchHistoryRow) int64 { return int64(r.StepNo) }),
		number("attempt", func(r *batchHistoryRow) int64 { return int64(r.Attempt) }),
		{Name: "worker", Write: func(l db.Literals, r *batchHistoryRow) db.Literals { return l.Text(r.Worker) }},
		number("items", func(r *batchHistoryRow) int64 { return int64(r.Items) }),
		number("failed", func(r *batchHistoryRow) int64 { return int64(r.Failed) }),
		number("bytes", func(r *batchHistoryRow) int64 { return r.Bytes }),
		number("created_us", func(r *batchHistoryRow) int64 { return r.CreatedUs }),
		number("started_us", func(r *batchHistoryRow) int64 { return r.StartedUs }),
		number("ended_us", func(r *batchHistoryRow) int64 { return r.EndedUs }),
		number("slowest_no", func(r *batchHistoryRow) int64 { return r.SlowestNo }),
		number("slowest_us", func(r *batchHistoryRow) int64 { return r.SlowestUs }),
	}
}

// newBatchHistory sums up the completion that closes a batch.
func newBatchHistory(c *completion) batchHistoryRow {
	b := c.Batch
	h := batchHistoryRow{
		TransferID: b.Transfer, BatchID: b.ID, StepNo: b.Step, Attempt: b.Attempt, Items: b.Items(), Bytes: b.Bytes,
		CreatedUs: c.written.UnixMicro(),
	}
	for _, results := range [][]tasks.Result{c.Results, c.FailedAttempts} {
		for i := range results {
			h.add(&results[i])
		}
	}
	return h
}

func (r *batchHistoryRow) add(res *tasks.Result) {
	if r.Worker == "" {
		r.Worker = db.ClipText(res.Worker, 128)
	}
	if res.Outcome.IsFailure() {
		r.Failed++
	}
	if res.StartedAt.IsZero() || res.EndedAt.IsZero() {
		return
	}
	started, ended := res.StartedAt.UnixMicro(), res.EndedAt.UnixMicro()
	if r.StartedUs == 0 || started < r.StartedUs {
		r.StartedUs = started
	}
	r.EndedUs = max(r.EndedUs, ended)
	if took := ended - started; took > r.SlowestUs || r.SlowestNo == 0 {
		r.SlowestNo, r.SlowestUs = res.File, max(took, 0)
	}
}

func insertBatchHistory(tx *gorm.DB, rows []batchHistoryRow) error {
	if err := db.BulkInsert(tx, "batch_history", batchHistoryColumns(), rows, (*batchHistoryRow).size); err != nil {
		return fmt.Errorf("keep batches that ended: %w", err)
	}
	return nil
}

func (r *batchHistoryRow) past() ledger.PastBatch {
	at := func(us int64) (t time.Time) {
		if us != 0 {
			t = time.UnixMicro(us).UTC()
		}
		return t
	}
	return ledger.PastBatch{
		Batch: r.BatchID, Step: r.StepNo, Attempt: r.Attempt, Worker: r.Worker, Items: r.Items, Failed: r.Failed, Bytes: r.Bytes,
		CreatedAt: at(r.CreatedUs), StartedAt: at(r.StartedUs), EndedAt: at(r.EndedUs),
		Slowest: r.SlowestNo, SlowestTook: time.Duration(r.SlowestUs) * time.Microsecond,
	}
}

// PastBatches reads up to limit of the newest batches of a transfer that have ended, newest
// first.
func (s *Store) PastBatches(ctx context.Context, transfer int64, limit int) ([]ledger.PastBatch, error) {
	return s.pastBatches(s.db.Session(ctx).Where("transfer_id = ?", transfer).Order("batch_id DESC").Limit(limit))
}

// SlowBatches reads up to limit batches of a transfer that have ended, those first whose
// slowest file took longest.
func (s *Store) SlowBatches(ctx context.Context, transfer int64, limit int) ([]ledger.PastBatch, error) {
	return s.pastBatches(s.db.Session(ctx).Where("transfer_id = ?", transfer).Order("slowest_us DESC").Limit(limit))
}

func (s *Store) pastBatches(q *gorm.DB) ([]ledger.PastBatch, error) {
	var rows []batchHistoryRow
	if err := q.Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list batches that ended: %w", err)
	}
	past := make([]ledger.PastBatch, len(rows))
	for i := range rows {
		past[i] = rows[i].past()
	}
	return past, nil
}

// WaitingBatches reads up to limit of the oldest batches of a transfer that wait or run.
func (s *Store) WaitingBatches(ctx context.Context, transfer int64, limit int) ([]ledger.OpenBatch, error) {
	var rows []batchRow
	err := s.db.Session(ctx).Omit("files").Where("transfer_id = ?", transfer).Order("id").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list open batches: %w", err)
	}
	open := make([]ledger.OpenBatch, len(rows))
	for i := range rows {
		r := &rows[i]
		open[i] = ledger.OpenBatch{
			Batch: r.ID, Step: r.StepNo, Attempt: r.Attempt, Items: r.Items, Bytes: r.Bytes, CreatedAt: r.CreatedAt.UTC(),
			HeldBy: r.HeldBy,
		}
		if value(r.HeldUntil).Before(s.db.Stamp()) {
			open[i].HeldBy = ""
		}
	}
	return open, nil
}
