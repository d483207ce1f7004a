package store

import "github.com/balerhq/baler/internal/db"

// resultColumns are the columns of the table results.
func resultColumns() []db.BulkColumn[resultRecord] {
	return []db.BulkColumn[resultRecord]{
		{Name: "transfer_id", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(r.TransferID) }},
		{Name: "step_no", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(int64(r.StepNo)) }},
		{Name: "file_no", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(r.FileNo) }},
		{Name: "batch_id", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(r.End.BatchID) }},
		{Name: "outcome", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Text(string(r.End.Outcome)) }},
		{Name: "worker", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Text(r.End.Worker) }},
		{Name: "started_at", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.TimeNumber(r.End.StartedAt) }},
		{Name: "ended_at", Write: func(l db.Literals, r *resultRecord) db.Literals { return l.TimeNumber(r.End.EndedAt) }},
		{
			Name: "exit_code", IsSet: func(r *resultRecord) bool { return r.End.ExitCode != 0 },
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(int64(r.End.ExitCode)) },
		},
		{
			Name: "code", IsSet: func(r *resultRecord) bool { return r.End.Code != "" },
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
			Write: func(l db.Literals, r *resultRecord) db.Literals { return l.Number(int64(r.End.Attempt)) },
		},
	}
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
