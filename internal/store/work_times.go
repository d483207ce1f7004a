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

// workTimeRow is what one process of a worker has said about the time of a step. Its times
// are in microseconds.
type workTimeRow struct {
	TransferID int64  `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int    `gorm:"primaryKey;autoIncrement:false"`
	Worker     string `gorm:"primaryKey"`
	StartedUs  int64  `gorm:"primaryKey;autoIncrement:false"`
	Slots      int
	FromUs     int64
	UntilUs    int64

	PausedUs    int64
	ApprovalUs  int64
	LimitsUs    int64
	RetryUs     int64
	QueueUs     int64
	NoBatchUs   int64
	SlotsUs     int64
	LoadingUs   int64
	HandlerUs   int64
	CommitsUs   int64
	OtherUs     int64
	InHandlerUs int64 // what its batches spent in the handler, added up
}

// TableName names the table to GORM.
func (workTimeRow) TableName() string { return "work_times" }

// parts are the columns of the parts that workers report. No worker reports that there is
// none, or what follows the last batch.
func (r *workTimeRow) parts() map[tasks.TimePart]*int64 {
	return map[tasks.TimePart]*int64{
		tasks.TimePaused:   &r.PausedUs,
		tasks.TimeApproval: &r.ApprovalUs,
		tasks.TimeLimits:   &r.LimitsUs,
		tasks.TimeRetry:    &r.RetryUs,
		tasks.TimeQueue:    &r.QueueUs,
		tasks.TimeNoBatch:  &r.NoBatchUs,
		tasks.TimeSlots:    &r.SlotsUs,
		tasks.TimeLoading:  &r.LoadingUs,
		tasks.TimeHandler:  &r.HandlerUs,
		tasks.TimeCommits:  &r.CommitsUs,
		tasks.TimeOther:    &r.OtherUs,
	}
}

func newWorkTimeRow(t *ledger.WorkTime) workTimeRow {
	r := workTimeRow{
		TransferID: t.Transfer, StepNo: t.Step, Worker: db.ClipText(t.Worker, 128), StartedUs: t.StartedAt.UnixMicro(), Slots: t.Slots,
		FromUs: t.From.UnixMicro(), UntilUs: t.Until.UnixMicro(), InHandlerUs: t.Handlers.Microseconds(),
	}
	for part, column := range r.parts() {
		*column = t.Parts[part].Microseconds()
	}
	return r
}

func (r *workTimeRow) workTime() ledger.WorkTime {
	t := ledger.WorkTime{
		Transfer: r.TransferID, Step: r.StepNo, Worker: r.Worker, StartedAt: time.UnixMicro(r.StartedUs), Slots: r.Slots,
		From: time.UnixMicro(r.FromUs), Until: time.UnixMicro(r.UntilUs), Handlers: time.Duration(r.InHandlerUs) * time.Microsecond,
	}
	for part, column := range r.parts() {
		t.Parts[part] = time.Duration(*column) * time.Microsecond
	}
	return t
}

// AddWorkTimes adds times to what workers have said before. It leaves out deleted transfers.
func (s *Store) AddWorkTimes(ctx context.Context, times []ledger.WorkTime) error {
	ids := make([]int64, len(times))
	for i := range times {
		ids[i] = times[i].Transfer
	}
	return s.db.Write(ctx, "write work times", func(tx *gorm.DB, _ time.Time) error {
		var exist []int64
		if err := tx.Model(&transferRow{}).Where("id IN ?", ids).Pluck("id", &exist).Error; err != nil {
			return fmt.Errorf("write work times: %w", err)
		}
		for i := range times {
			if !slices.Contains(exist, times[i].Transfer) {
				continue
			}
			row := newWorkTimeRow(&times[i])
			if err := addWorkTime(tx, &row); err != nil {
				return fmt.Errorf("write work times: %w", err)
			}
		}
		return nil
	})
}

func addWorkTime(tx *gorm.DB, r *workTimeRow) error {
	names, values := r.sums()
	update := make([]string, len(names))
	for i, n := range names {
		update[i] = n + " = work_times." + n + " + " + fromInsert(tx, n)
	}
	on := "ON DUPLICATE KEY UPDATE "
	if tx.Name() == string(db.SQLite) {
		on = "ON CONFLICT (transfer_id, step_no, worker, started_us) DO UPDATE SET "
	}
	values = append([]any{r.TransferID, r.StepNo, r.Worker, r.StartedUs, r.Slots, r.FromUs, r.UntilUs}, values...)
	return tx.Exec("INSERT INTO work_times (transfer_id, step_no, worker, started_us, slots, from_us, until_us, "+strings.Join(names, ", ")+
		") VALUES (?"+strings.Repeat(", ?", len(values)-1)+") "+on+"until_us = "+fromInsert(tx, "until_us")+", "+strings.Join(update, ", "),
		values...).Error
}

// fromInsert is the value of a column in the row that an INSERT would have made.
func fromInsert(tx *gorm.DB, column string) string {
	if tx.Name() == string(db.SQLite) {
		return "excluded." + column
	}
	return "VALUES(" + column + ")"
}

// sums are the columns that later reports add to, with their values.
func (r *workTimeRow) sums() (names []string, values []any) {
	parts := r.parts()
	for part := range tasks.TimePart(tasks.TimeParts) {
		if column, ok := parts[part]; ok {
			names, values = append(names, part.String()+"_us"), append(values, *column)
		}
	}
	return append(names, "in_handler_us"), append(values, r.InHandlerUs)
}

// WorkTimes reads what workers have said about the time of a transfer: one for each step and
// each process that has run batches of it.
func (s *Store) WorkTimes(ctx context.Context, transfer int64) ([]ledger.WorkTime, error) {
	var rows []workTimeRow
	if err := s.db.Session(ctx).Where("transfer_id = ?", transfer).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read work times: %w", err)
	}
	return fromRows(rows, (*workTimeRow).workTime), nil
}
