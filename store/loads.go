package store

import (
	"bytes"
	"context"
	"fmt"

	"gorm.io/gorm"
)

// loadRow marks a section as loaded. It is in the same database as the rows, so
// that one commit decides on both.
type loadRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int   `gorm:"primaryKey;autoIncrement:false"`
	FileNo     int64 `gorm:"primaryKey;autoIncrement:false"`
	AtByte     int64 `gorm:"primaryKey;autoIncrement:false"`
	Bytes      int64
	Lines      int64
	Loaded     int64
	Skipped    int64
	Duplicates int64
	Bad        int64
}

// TableName names the table to GORM.
func (loadRow) TableName() string { return "loads" }

func newLoadRow(sec *Section) loadRow {
	return loadRow{
		TransferID: sec.Transfer, StepNo: sec.Step, FileNo: sec.File, AtByte: sec.At,
		Bytes: sec.Bytes, Lines: sec.Lines, Skipped: sec.Skipped,
	}
}

func (r *loadRow) counts() LoadCounts {
	return LoadCounts{
		Bytes: r.Bytes, Lines: r.Lines, Loaded: r.Loaded, Skipped: r.Skipped, Duplicates: r.Duplicates, Bad: r.Bad,
	}
}

// Loaded is a section that is in the table.
type Loaded struct {
	At int64
	LoadCounts
}

// Loaded lists the sections of a file that are in, in their order.
func (s *Store) Loaded(ctx context.Context, transfer int64, step int, file int64) ([]Loaded, error) {
	var rows []loadRow
	err := s.db.WithContext(ctx).Where("transfer_id = ? AND step_no = ? AND file_no = ?", transfer, step, file).
		Order("at_byte").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read what is loaded: %w", err)
	}
	loaded := make([]Loaded, len(rows))
	for i := range rows {
		loaded[i] = Loaded{rows[i].AtByte, rows[i].counts()}
	}
	return loaded, nil
}

// LoadTotals adds up what a transfer has loaded.
func (s *Store) LoadTotals(ctx context.Context, transfer int64) (LoadCounts, error) {
	var c LoadCounts
	row := s.db.WithContext(ctx).Table("loads").Where("transfer_id = ?", transfer).
		Select("COALESCE(SUM(bytes), 0), COALESCE(SUM(`lines`), 0), COALESCE(SUM(loaded), 0), " +
			"COALESCE(SUM(skipped), 0), COALESCE(SUM(duplicates), 0), COALESCE(SUM(bad), 0)").Row()
	if err := row.Scan(&c.Bytes, &c.Lines, &c.Loaded, &c.Skipped, &c.Duplicates, &c.Bad); err != nil {
		return c, fmt.Errorf("add up what is loaded: %w", err)
	}
	return c, nil
}

// Reject is a line that was set aside. Make one with NewReject.
type Reject struct {
	Line    int64 // in its file, from 1
	Reason  string
	Content []byte // its beginning
	Size    int64  // bytes of the whole line
}

// RejectMost is how many bytes of a line that was set aside is kept.
const RejectMost = 2048

// NewReject sets a line aside.
func NewReject(line int64, reason string, content []byte) Reject {
	kept := bytes.Clone(content[:min(len(content), RejectMost)])
	return Reject{line, clip(reason, 512), kept, int64(len(content))}
}

// rejectRow is a line that was set aside.
type rejectRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int   `gorm:"primaryKey;autoIncrement:false"`
	FileNo     int64 `gorm:"primaryKey;autoIncrement:false"`
	Line       int64 `gorm:"primaryKey;autoIncrement:false"`
	Reason     string
	Content    []byte
	Size       int64
}

// TableName names the table to GORM.
func (rejectRow) TableName() string { return "load_rejects" }

func (l *loading) reject() error {
	rows := make([]rejectRow, len(l.rejects))
	for i := range l.rejects {
		r := &l.rejects[i]
		rows[i] = rejectRow{l.sec.Transfer, l.sec.Step, l.sec.File, r.Line, r.Reason, r.Content, r.Size}
	}
	return createBySize(l.tx, rows, func(r *rejectRow) int { return 2*len(r.Content) + len(r.Reason) + 100 })
}

// RejectKey is a place in the list of a transfer's rejects; zero is before the first.
type RejectKey struct {
	Step int
	File int64
	Line int64
}

// FileReject is a reject with the file that it comes from.
type FileReject struct {
	Key  RejectKey
	Path string
	Reject
}

// Rejects reads up to limit of the lines that a transfer set aside, those
// behind a key, in the order of steps, files and lines.
func (s *Store) Rejects(ctx context.Context, transfer int64, after RejectKey, limit int) ([]FileReject, error) {
	var rows []struct {
		Row  rejectRow `gorm:"embedded"`
		Path []byte
	}
	err := s.db.WithContext(ctx).Table("load_rejects AS r").
		Select("r.step_no, r.file_no, r.line, r.reason, r.content, r.size, f.path").
		Joins("JOIN files AS f ON f.transfer_id = r.transfer_id AND f.no = r.file_no").
		Where("r.transfer_id = ?", transfer).Scopes(behind(after)).
		Order("r.step_no, r.file_no, r.line").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read lines that were set aside: %w", err)
	}
	rejects := make([]FileReject, len(rows))
	for i := range rows {
		r := &rows[i].Row
		rejects[i] = FileReject{
			RejectKey{r.StepNo, r.FileNo, r.Line}, string(rows[i].Path), Reject{r.Line, r.Reason, r.Content, r.Size},
		}
	}
	return rejects, nil
}

func behind(k RejectKey) func(*gorm.DB) *gorm.DB {
	return func(q *gorm.DB) *gorm.DB {
		if k == (RejectKey{}) {
			return q
		}
		return q.Where("(r.step_no > ? OR (r.step_no = ? AND (r.file_no > ? OR (r.file_no = ? AND r.line > ?))))",
			k.Step, k.Step, k.File, k.File, k.Line)
	}
}
