package store

import (
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// resultColumns are the columns of the table results.
func resultColumns() []db.BulkColumn[resultRecord] {
	return []db.BulkColumn[resultRecord]{
		{
			Name: "transfer_id", Same: sameValue(func(r *resultRecord) int64 { return r.TransferID }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(r.TransferID) },
		},
		{
			Name: "step_no", Same: sameValue(func(r *resultRecord) int { return r.StepNo }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(int64(r.StepNo)) },
		},
		{Name: "file_no", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(r.FileNo) }},
		{
			Name: "batch_id", Same: sameValue(func(r *resultRecord) int64 { return r.End.BatchID }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(r.End.BatchID) },
		},
		{
			Name: "outcome", Same: sameValue(func(r *resultRecord) tasks.Outcome { return r.End.Outcome }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Text(string(r.End.Outcome)) },
		},
		{
			Name: "worker", Same: sameValue(func(r *resultRecord) string { return r.End.Worker }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Text(r.End.Worker) },
		},
		{
			Name: "started_at", Same: func(a, b *resultRecord) bool { return a.End.StartedAt.Equal(b.End.StartedAt) },
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.TimeNumber(r.End.StartedAt) },
		},
		{
			Name: "ended_at", Same: func(a, b *resultRecord) bool { return a.End.EndedAt.Equal(b.End.EndedAt) },
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.TimeNumber(r.End.EndedAt) },
		},
		{
			Name: "exit_code", IsSet: func(r *resultRecord) bool { return r.End.ExitCode != 0 },
			Same:  sameValue(func(r *resultRecord) int { return r.End.ExitCode }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(int64(r.End.ExitCode)) },
		},
		{
			Name: "code", IsSet: func(r *resultRecord) bool { return r.End.Code != "" },
			Same:  sameValue(func(r *resultRecord) string { return r.End.Code }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Text(r.End.Code) },
		},
		{
			Name: "output", IsSet: func(r *resultRecord) bool { return r.End.Output != "" },
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Text(r.End.Output) },
		},
		{
			Name: "error", IsSet: func(r *resultRecord) bool { return r.End.Error != "" },
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Text(r.End.Error) },
		},
		{
			Name: "truncated", IsSet: func(r *resultRecord) bool { return r.End.Truncated },
			Same:  sameValue(func(r *resultRecord) bool { return r.End.Truncated }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Bool(r.End.Truncated) },
		},
		{
			Name: "facts", IsSet: func(r *resultRecord) bool { return r.End.Facts != nil },
			Write: func(l db.Literals, r *resultRecord) db.Literals {
				if r.End.Facts == nil {
					return l.Null()
				}
				return l.Text(*r.End.Facts)
			},
		},
		{
			Name: "attempt", IsSet: func(r *resultRecord) bool { return r.End.Attempt != 1 },
			Same:  sameValue(func(r *resultRecord) int { return r.End.Attempt }),
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(int64(r.End.Attempt)) },
		},
		{
			Name: "reused_from", IsSet: isReused,
			Write: func(l db.Literals, r *resultRecord) db.Literals {
				if r.ReusedFrom == nil {
					return l.Null()
				}
				return l.Text(*r.ReusedFrom)
			},
		},
		{
			Name: "reused_file", IsSet: isReused,
			Write: func(l db.Literals, r *resultRecord) db.Literals {
				if r.ReusedFile == nil {
					return l.Null()
				}
				return l.Number(*r.ReusedFile)
			},
		},
		{
			Name: "ran_at", IsSet: isReused,
			Write: func(l db.Literals, r *resultRecord) db.Literals {
				if r.RanAt == nil {
					return l.Null()
				}
				return l.TimeNumber(*r.RanAt)
			},
		},
	}
}

func isReused(r *resultRecord) bool { return r.ReusedFrom != nil }

// sameValue compares two rows by one value.
func sameValue[R any, V comparable](of func(*R) V) func(a, b *R) bool {
	return func(a, b *R) bool { return of(a) == of(b) }
}

// fileColumns are the columns of the table files.
func fileColumns() []db.BulkColumn[fileRow] {
	return []db.BulkColumn[fileRow]{
		{Name: "transfer_id", Write: func(l db.Literals, r *fileRow) db.Literals { return l.Number(r.TransferID) }},
		{Name: "no", Write: func(l db.Literals, r *fileRow) db.Literals { return l.Number(r.No) }},
		{Name: "path", Write: func(l db.Literals, r *fileRow) db.Literals { return l.Binary(r.Path) }},
		{Name: "size", Write: func(l db.Literals, r *fileRow) db.Literals { return l.Number(r.Size) }},
		{
			Name: "mtime", IsSet: func(r *fileRow) bool { return r.Mtime != nil },
			Write: func(l db.Literals, r *fileRow) db.Literals {
				if r.Mtime == nil {
					return l.Null()
				}
				return l.TimeNumber(*r.Mtime)
			},
		},
		{
			Name: "scan_error", IsSet: func(r *fileRow) bool { return r.ScanError != "" },
			Write: func(l db.Literals, r *fileRow) db.Literals { return l.Text(r.ScanError) },
		},
		chunkColumn("part", func(r *fileRow) *int64 { return r.Part }),
		chunkColumn("byte_offset", func(r *fileRow) *int64 { return r.ByteOffset }),
		chunkColumn("line_no", func(r *fileRow) *int64 { return r.LineNo }),
		chunkColumn("parent_no", func(r *fileRow) *int64 { return r.ParentNo }),
	}
}

// chunkColumn is a column that only chunks of split files, or only emitted files, have.
func chunkColumn(name string, of func(*fileRow) *int64) db.BulkColumn[fileRow] {
	return db.BulkColumn[fileRow]{
		Name: name, IsSet: func(r *fileRow) bool { return of(r) != nil },
		Write: func(l db.Literals, r *fileRow) db.Literals {
			if n := of(r); n != nil {
				return l.Number(*n)
			}
			return l.Null()
		},
	}
}
