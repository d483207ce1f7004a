package store

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// outcomeColumns are shared by results and attempts.
type outcomeColumns struct {
	BatchID   int64
	Outcome   tasks.Outcome
	ExitCode  int
	Code      string
	Output    string
	Error     string
	Truncated bool
	Facts     *string // text, not bytes: MySQL makes no JSON of binary strings
	Attempt   int
	Worker    string
	StartedAt time.Time
	EndedAt   time.Time
}

type resultRecord struct {
	TransferID int64          `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int            `gorm:"primaryKey;autoIncrement:false"`
	FileNo     int64          `gorm:"primaryKey;autoIncrement:false"`
	End        outcomeColumns `gorm:"embedded"`

	ReusedFrom *string // these three only of a result that was taken over
	ReusedFile *int64
	RanAt      *time.Time

	emitted  []tasks.File     // rows of their own
	reusable *ledger.Reusable // likewise; nil when it cannot be taken over
}

// reusedFrom is where the result was taken over from, and nil for others.
func (r *resultRecord) reusedFrom() *tasks.Reused {
	if r.ReusedFrom == nil || r.ReusedFile == nil {
		return nil
	}
	return &tasks.Reused{Transfer: *r.ReusedFrom, File: *r.ReusedFile, RanAt: value(r.RanAt)}
}

func (r *resultRecord) setReused(from *tasks.Reused) {
	if from != nil {
		r.ReusedFrom, r.ReusedFile, r.RanAt = &from.Transfer, &from.File, pointer(from.RanAt)
	}
}

// result is the whole row.
func (r *resultRecord) result() tasks.Result {
	result := r.End.result(r.StepNo, r.FileNo)
	result.Reused = r.reusedFrom()
	return result
}

// TableName names the table to GORM.
func (resultRecord) TableName() string { return "results" }

type attemptRow struct {
	ID         int64 `gorm:"primaryKey"`
	TransferID int64
	StepNo     int
	FileNo     int64
	End        outcomeColumns `gorm:"embedded"`
}

// TableName names the table to GORM.
func (attemptRow) TableName() string { return "attempts" }

func newOutcomeColumns(batch int64, r *tasks.Result) outcomeColumns {
	c := outcomeColumns{
		BatchID: batch, Outcome: r.Outcome, ExitCode: r.ExitCode, Code: db.ClipText(r.Code, 64),
		Output: strings.ToValidUTF8(r.Output, "\uFFFD"), Error: strings.ToValidUTF8(r.Error, "\uFFFD"),
		Truncated: r.Truncated, Attempt: r.Attempt, Worker: db.ClipText(r.Worker, 128),
		StartedAt: r.StartedAt.UTC().Truncate(time.Microsecond), EndedAt: r.EndedAt.UTC().Truncate(time.Microsecond),
	}
	if len(r.Facts) > 0 {
		facts := string(r.Facts)
		c.Facts = &facts
	}
	return c
}

func (c *outcomeColumns) result(step int, file int64) tasks.Result {
	r := tasks.Result{
		Step: step, File: file, Outcome: c.Outcome, ExitCode: c.ExitCode, Code: c.Code, Output: c.Output, Error: c.Error,
		Truncated: c.Truncated, Attempt: c.Attempt, Worker: c.Worker, StartedAt: c.StartedAt, EndedAt: c.EndedAt,
	}
	if c.Facts != nil {
		r.Facts = json.RawMessage(*c.Facts)
	}
	return r
}

// size is about what the row weighs in a statement.
func (c *outcomeColumns) size() int {
	n := 200 + len(c.Output) + len(c.Error)
	if c.Facts != nil {
		n += len(*c.Facts)
	}
	return n
}

func value(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// pointer is nil for a time that is not known, or that no database holds: file
// systems give years far outside of 1000 to 9999.
func pointer(t time.Time) *time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 1000 || t.Year() > 9999 {
		return nil
	}
	return &t
}

// size estimates the bytes of the row in a statement.
func (r *resultRecord) size() int { return r.End.size() }
