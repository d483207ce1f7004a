package store

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// emittedRow is a file that a handler emitted. Its key says what it was made from, so that
// a handler that runs again for the same file emits nothing twice. FileNo is the number in
// the table files, NULL until RegisterEmitted gives it one.
type emittedRow struct {
	TransferID int64  `gorm:"primaryKey;autoIncrement:false"`
	ParentNo   int64  `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int    `gorm:"primaryKey;autoIncrement:false"`
	NameHash   []byte `gorm:"primaryKey"`
	Position   int64  // among those of the same parent and step, from 0
	FileNo     *int64
	TopNo      int64
	Depth      int
	Name       []byte
	Path       []byte
	BaseLength int // of the part of Path that is the emission's Base
	Size       int64
	Mtime      *time.Time
}

// TableName names the table to GORM.
func (emittedRow) TableName() string { return "emitted_files" }

// size estimates the bytes of the row in a statement.
func (r *emittedRow) size() int { return 160 + len(r.Name) + len(r.Path) }

// emittedHash is how long the keys of names are.
const emittedHash = 16

func newEmittedRow(transfer int64, f *tasks.File) emittedRow {
	e := f.Emitted
	hash := sha256.Sum256([]byte(e.Name))
	return emittedRow{
		TransferID: transfer, ParentNo: e.Parent, StepNo: e.Step, NameHash: hash[:emittedHash], TopNo: e.Top, Depth: e.Depth,
		Name: []byte(e.Name), Path: []byte(f.Path), BaseLength: len(e.Base), Size: f.Size, Mtime: pointer(f.MTime),
	}
}

// same reports whether two emissions of a name are of the same content, as far as is known.
func (r *emittedRow) same(other *emittedRow) bool {
	return string(r.Path) == string(other.Path) && r.Size == other.Size && value(r.Mtime).Equal(value(other.Mtime))
}

// version gives a file that is emitted again with other content a key of its own, because
// the results that the earlier one has are not those of this.
func (r *emittedRow) version() {
	text := strconv.AppendInt(append(slices.Clone(r.Name), 0), r.Size, 10) // no name holds a NUL
	text = append(value(r.Mtime).AppendFormat(append(text, 0), time.RFC3339Nano), 0)
	hash := sha256.Sum256(append(text, r.Path...))
	r.NameHash = hash[:emittedHash]
}

func (r *emittedRow) emission() *tasks.Emission {
	return &tasks.Emission{
		Parent: r.ParentNo, Top: r.TopNo, Depth: r.Depth, Step: r.StepNo, Name: string(r.Name),
		Base: string(r.Path[:min(max(r.BaseLength, 0), len(r.Path))]),
	}
}

// file is the file to register.
func (r *emittedRow) file() tasks.File {
	return tasks.File{Path: string(r.Path), Size: r.Size, MTime: value(r.Mtime), Emitted: r.emission()}
}

// recordEmitted inserts the files that the results of a transaction have emitted, and
// counts those that no earlier run of the handler has emitted. Nobody else emits files of
// the same parent at the same step meanwhile: the results, which are inserted before, would
// be there twice.
func (w *completionWrites) recordEmitted(tx *gorm.DB) error {
	var rows []emittedRow
	for i := range w.results {
		r := &w.results[i]
		if len(r.emitted) == 0 {
			continue
		}
		further, err := furtherEmitted(tx, r)
		if err != nil {
			return err
		}
		rows = append(rows, further...)
		w.tally.emit(r.TransferID, int64(len(further)))
	}
	if err := db.BulkInsert(tx, "emitted_files", emittedColumns(), rows, (*emittedRow).size); err != nil {
		return fmt.Errorf("insert emitted files: %w", err)
	}
	return nil
}

// furtherEmitted returns rows for those emitted files of a result that have none.
func furtherEmitted(tx *gorm.DB, r *resultRecord) (further []emittedRow, err error) {
	var there []emittedRow
	err = tx.Where("transfer_id = ? AND parent_no = ? AND step_no = ?", r.TransferID, r.FileNo, r.StepNo).Find(&there).Error
	if err != nil {
		return nil, fmt.Errorf("look up emitted files: %w", err)
	}
	known := make(map[string]*emittedRow, len(there)+len(r.emitted))
	next := int64(0)
	for i := range there {
		known[string(there[i].NameHash)] = &there[i]
		next = max(next, there[i].Position+1)
	}
	further = make([]emittedRow, 0, len(r.emitted))
	for i := range r.emitted {
		row := newEmittedRow(r.TransferID, &r.emitted[i])
		if was := known[string(row.NameHash)]; was != nil && !was.same(&row) {
			row.version()
		}
		if known[string(row.NameHash)] != nil {
			continue
		}
		row.Position = next
		next++
		further = append(further, row)
		known[string(row.NameHash)] = &further[len(further)-1]
	}
	return further, nil
}

// emit counts emitted files.
func (t *counterChanges) emit(transfer, files int64) {
	if files == 0 {
		return
	}
	if t.emitted == nil {
		t.emitted = make(map[int64]int64)
	}
	t.emitted[transfer] += files
}

// emittedColumns are the columns of the table emitted_files.
func emittedColumns() []db.BulkColumn[emittedRow] {
	number := func(name string, of func(*emittedRow) int64) db.BulkColumn[emittedRow] {
		return db.BulkColumn[emittedRow]{Name: name, Write: func(l db.Literals, r *emittedRow) db.Literals { return l.Number(of(r)) }}
	}
	binary := func(name string, of func(*emittedRow) []byte) db.BulkColumn[emittedRow] {
		return db.BulkColumn[emittedRow]{Name: name, Write: func(l db.Literals, r *emittedRow) db.Literals { return l.Binary(of(r)) }}
	}
	return []db.BulkColumn[emittedRow]{
		number("transfer_id", func(r *emittedRow) int64 { return r.TransferID }),
		number("parent_no", func(r *emittedRow) int64 { return r.ParentNo }),
		number("step_no", func(r *emittedRow) int64 { return int64(r.StepNo) }),
		binary("name_hash", func(r *emittedRow) []byte { return r.NameHash }),
		number("position", func(r *emittedRow) int64 { return r.Position }),
		number("top_no", func(r *emittedRow) int64 { return r.TopNo }),
		number("depth", func(r *emittedRow) int64 { return int64(r.Depth) }),
		binary("name", func(r *emittedRow) []byte { return r.Name }),
		binary("path", func(r *emittedRow) []byte { return r.Path }),
		number("base_length", func(r *emittedRow) int64 { return int64(r.BaseLength) }),
		number("size", func(r *emittedRow) int64 { return r.Size }),
		{
			Name: "mtime", IsSet: func(r *emittedRow) bool { return r.Mtime != nil },
			Write: func(l db.Literals, r *emittedRow) db.Literals {
				if r.Mtime == nil {
					return l.Null()
				}
				return l.TimeNumber(*r.Mtime)
			},
		},
	}
}
