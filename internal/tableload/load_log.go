package tableload

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// loadRow marks a section as loaded. It is in the same database as the rows, so that one
// transaction commits both.
type loadRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int   `gorm:"primaryKey;autoIncrement:false"`
	FileNo     int64 `gorm:"primaryKey;autoIncrement:false"`
	ByteOffset int64 `gorm:"primaryKey;autoIncrement:false"`
	Bytes      int64
	Lines      int64
	Loaded     int64
	Skipped    int64
	Duplicates int64
	Bad        int64
	Target     []byte // the table, see targetOf; empty when the table was emptied

	Source        []byte
	ContentOffset int64
	LineNo        int64
	Digest        []byte
	Unchanged     int64

	Unmapped      int64
	UnmappedNames string // some of the members' names, joined by nameEnd

	TargetName string `gorm:"column:table_name"` // the table's name, see TablesOf

	Witness string // some of the rows, see witness; empty: none
}

// nameEnd separates names. It is a control character, which JSON allows in names only as
// an escape.
const nameEnd = "\x1e"

// TableName names the table to GORM.
func (loadRow) TableName() string { return "loads" }

func newLoadRow(section *Section, t *Table) loadRow {
	return loadRow{
		TransferID: section.Transfer, StepNo: section.Step, FileNo: section.File, ByteOffset: section.Offset,
		Bytes: section.Bytes, Lines: section.Lines, Skipped: section.Skipped, Target: t.target, TargetName: t.name,
		Source: orEmpty(section.Source), ContentOffset: section.ContentOffset, LineNo: section.Line, Digest: orEmpty(section.Digest),
		Unchanged: section.Unchanged, Unmapped: section.Unmapped, UnmappedNames: strings.Join(section.UnmappedNames, nameEnd),
	}
}

// orEmpty replaces nil, for columns that are NOT NULL.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (r *loadRow) counts() tasks.LoadCounts {
	return tasks.LoadCounts{
		Bytes: r.Bytes, Lines: r.Lines, Loaded: r.Loaded, Skipped: r.Skipped, Duplicates: r.Duplicates, Bad: r.Bad,
		Unchanged: r.Unchanged, Unmapped: r.Unmapped,
	}
}

// LoadedSection is a section whose rows are in the table.
type LoadedSection struct {
	At int64
	tasks.LoadCounts
}

// LoadedSections lists the loaded sections of a file by offset.
func (s *Store) LoadedSections(ctx context.Context, transfer int64, step int, file int64) ([]LoadedSection, error) {
	var rows []loadRow
	err := s.db.Session(ctx).Where("transfer_id = ? AND step_no = ? AND file_no = ?", transfer, step, file).
		Order("byte_offset").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read loaded sections: %w", err)
	}
	loaded := make([]LoadedSection, len(rows))
	for i := range rows {
		loaded[i] = LoadedSection{rows[i].ByteOffset, rows[i].counts()}
	}
	return loaded, nil
}

// LoadTotals adds up the counts of a transfer's sections.
func (s *Store) LoadTotals(ctx context.Context, transfer int64) (tasks.LoadCounts, error) {
	var c tasks.LoadCounts
	row := s.db.Session(ctx).Table("loads").Where("transfer_id = ?", transfer).
		Select("COALESCE(SUM(bytes), 0), COALESCE(SUM(`lines`), 0), COALESCE(SUM(loaded), 0), " +
			"COALESCE(SUM(skipped), 0), COALESCE(SUM(duplicates), 0), COALESCE(SUM(bad), 0), " +
			"COALESCE(SUM(unchanged), 0), COALESCE(SUM(unmapped), 0)").Row()
	if err := row.Scan(&c.Bytes, &c.Lines, &c.Loaded, &c.Skipped, &c.Duplicates, &c.Bad, &c.Unchanged, &c.Unmapped); err != nil {
		return c, fmt.Errorf("add up loaded sections: %w", err)
	}
	return c, nil
}

// unmappedPage is how many distinct lists of names UnmappedMembers reads.
const unmappedPage = 200

// UnmappedMembers lists the names of members, in order, whose values a transfer left out;
// only some of the names if there are many.
func (s *Store) UnmappedMembers(ctx context.Context, transfer int64) ([]string, error) {
	var lists []string
	err := s.db.Session(ctx).Table("loads").Where("transfer_id = ? AND unmapped > 0", transfer).
		Distinct().Limit(unmappedPage).Pluck("unmapped_names", &lists).Error
	if err != nil {
		return nil, fmt.Errorf("read unmapped members: %w", err)
	}
	var names []string
	for _, list := range lists {
		names = append(names, strings.Split(list, nameEnd)...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// rejectedRow is a rejected line.
type rejectedRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int   `gorm:"primaryKey;autoIncrement:false"`
	FileNo     int64 `gorm:"primaryKey;autoIncrement:false"`
	Line       int64 `gorm:"primaryKey;autoIncrement:false"`
	Reason     string
	Content    []byte
	Size       int64
}

// TableName names the table to GORM.
func (rejectedRow) TableName() string { return "rejected_lines" }

func (l *loading) reject() error {
	rows := make([]rejectedRow, len(l.rejected))
	for i := range l.rejected {
		r := &l.rejected[i]
		rows[i] = rejectedRow{l.section.Transfer, l.section.Step, l.section.File, r.Line, r.Reason, r.Content, r.Size}
	}
	size := func(r *rejectedRow) int { return 2*len(r.Content) + 2*len(r.Reason) + 200 }
	for len(rows) > 0 { // in statements that the server accepts
		n, total := 0, 0
		for n < len(rows) && (n == 0 || total+size(&rows[n]) <= l.t.statementBytes()) {
			total += size(&rows[n])
			n++
		}
		if err := db.InsertBySize(l.tx, rows[:n], size); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// RejectedLines reads up to limit of a transfer's rejected lines after a key, in the order
// of steps, files and lines.
func (s *Store) RejectedLines(ctx context.Context, transfer int64, after tasks.RejectKey, limit int) ([]tasks.FileRejectedLine, error) {
	var rows []struct {
		Row  rejectedRow `gorm:"embedded"`
		Path []byte
	}
	err := s.db.Session(ctx).Table("rejected_lines AS r").
		Select("r.step_no, r.file_no, r.line, r.reason, r.content, r.size, f.path").
		Joins("JOIN files AS f ON f.transfer_id = r.transfer_id AND f.no = r.file_no").
		Where("r.transfer_id = ?", transfer).Scopes(behind(after)).
		Order("r.step_no, r.file_no, r.line").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read rejected lines: %w", err)
	}
	rejected := make([]tasks.FileRejectedLine, len(rows))
	for i := range rows {
		r := &rows[i].Row
		rejected[i] = tasks.FileRejectedLine{
			Key: tasks.RejectKey{Step: r.StepNo, File: r.FileNo, Line: r.Line}, Path: string(rows[i].Path),
			RejectedLine: tasks.RejectedLine{Line: r.Line, Reason: r.Reason, Content: r.Content, Size: r.Size},
		}
	}
	return rejected, nil
}

func behind(k tasks.RejectKey) func(*gorm.DB) *gorm.DB {
	return func(q *gorm.DB) *gorm.DB {
		if k == (tasks.RejectKey{}) {
			return q
		}
		return q.Where("(r.step_no > ? OR (r.step_no = ? AND (r.file_no > ? OR (r.file_no = ? AND r.line > ?))))",
			k.Step, k.Step, k.File, k.File, k.Line)
	}
}

// NewRejectedLine returns a rejected line with the beginning of its content.
func NewRejectedLine(line int64, reason string, content []byte) tasks.RejectedLine {
	kept := bytes.Clone(content[:min(len(content), tasks.MaxRejectLen)])
	return tasks.RejectedLine{Line: line, Reason: db.ClipText(reason, 512), Content: kept, Size: int64(len(content))}
}
