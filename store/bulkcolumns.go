package store

// resultRecords are inserted in bulk.
type resultRecords []resultRecord

func (rows resultRecords) insert() literals { return insertText("results", resultColumns(), rows) }

func resultColumns() []column[resultRecord] {
	return []column[resultRecord]{
		{name: "transfer_id", write: func(l literals, r *resultRecord) literals { return l.number(r.TransferID) }},
		{name: "step_no", write: func(l literals, r *resultRecord) literals { return l.number(int64(r.StepNo)) }},
		{name: "file_no", write: func(l literals, r *resultRecord) literals { return l.number(r.FileNo) }},
		{name: "batch_id", write: func(l literals, r *resultRecord) literals { return l.number(r.End.BatchID) }},
		{name: "outcome", write: func(l literals, r *resultRecord) literals { return l.text(string(r.End.Outcome)) }},
		{name: "worker", write: func(l literals, r *resultRecord) literals { return l.text(r.End.Worker) }},
		{name: "started_at", write: func(l literals, r *resultRecord) literals { return l.momentNumber(r.End.StartedAt) }},
		{name: "ended_at", write: func(l literals, r *resultRecord) literals { return l.momentNumber(r.End.EndedAt) }},
		{
			name: "exit_code", said: func(r *resultRecord) bool { return r.End.ExitCode != 0 },
			write: func(l literals, r *resultRecord) literals { return l.number(int64(r.End.ExitCode)) },
		},
		{
			name: "code", said: func(r *resultRecord) bool { return r.End.Code != "" },
			write: func(l literals, r *resultRecord) literals { return l.text(r.End.Code) },
		},
		{
			name: "output", said: func(r *resultRecord) bool { return r.End.Output != "" },
			write: func(l literals, r *resultRecord) literals { return l.text(r.End.Output) },
		},
		{
			name: "error", said: func(r *resultRecord) bool { return r.End.Error != "" },
			write: func(l literals, r *resultRecord) literals { return l.text(r.End.Error) },
		},
		{
			name: "truncated", said: func(r *resultRecord) bool { return r.End.Truncated },
			write: func(l literals, r *resultRecord) literals { return l.flag(r.End.Truncated) },
		},
		{
			name: "facts", said: func(r *resultRecord) bool { return r.End.Facts != nil },
			write: func(l literals, r *resultRecord) literals {
				if r.End.Facts == nil {
					return l.null()
				}
				return l.text(*r.End.Facts)
			},
		},
		{
			name: "attempt", said: func(r *resultRecord) bool { return r.End.Attempt != 1 },
			write: func(l literals, r *resultRecord) literals { return l.number(int64(r.End.Attempt)) },
		},
	}
}

// fileRows are inserted in bulk.
type fileRows []fileRow

func (rows fileRows) insert() literals { return insertText("files", fileColumns(), rows) }

func fileColumns() []column[fileRow] {
	return []column[fileRow]{
		{name: "transfer_id", write: func(l literals, r *fileRow) literals { return l.number(r.TransferID) }},
		{name: "no", write: func(l literals, r *fileRow) literals { return l.number(r.No) }},
		{name: "path", write: func(l literals, r *fileRow) literals { return l.binary(r.Path) }},
		{name: "size", write: func(l literals, r *fileRow) literals { return l.number(r.Size) }},
		{
			name: "mtime", said: func(r *fileRow) bool { return r.Mtime != nil },
			write: func(l literals, r *fileRow) literals {
				if r.Mtime == nil {
					return l.null()
				}
				return l.momentNumber(*r.Mtime)
			},
		},
		{
			name: "scan_error", said: func(r *fileRow) bool { return r.ScanError != "" },
			write: func(l literals, r *fileRow) literals { return l.text(r.ScanError) },
		},
		ofPart("part", func(r *fileRow) *int64 { return r.Part }),
		ofPart("byte_offset", func(r *fileRow) *int64 { return r.ByteOffset }),
		ofPart("line_no", func(r *fileRow) *int64 { return r.LineNo }),
	}
}

// ofPart is a column that only parts of files have.
func ofPart(name string, of func(*fileRow) *int64) column[fileRow] {
	return column[fileRow]{
		name: name, said: func(r *fileRow) bool { return of(r) != nil },
		write: func(l literals, r *fileRow) literals {
			if n := of(r); n != nil {
				return l.number(*n)
			}
			return l.null()
		},
	}
}

var (
	_ bulkRows = resultRecords(nil)
	_ bulkRows = fileRows(nil)
)
