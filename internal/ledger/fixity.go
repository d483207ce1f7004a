package ledger

// Fixity counts files by how they compare with what they were. Each file is counted once,
// but for Uncompared.
type Fixity struct {
	New       int64 `json:"new"`
	Changed   int64 `json:"changed"`   // another size or modification time
	Damaged   int64 `json:"damaged"`   // other content, although size and modification time are the same
	Missing   int64 `json:"missing"`   // not there, and its content nowhere else that is new
	Moved     int64 `json:"moved"`     // not there, and its content at a new path
	Unread    int64 `json:"unread"`    // there, and it could not be read
	Unchanged int64 `json:"unchanged"` // size, modification time and, unless they are uncompared, content are the same

	Uncompared int64 `json:"uncompared"` // of the unchanged ones: without a digest then and now that can be compared
}

// Bad reports whether files are damaged or missing, or could not be read.
func (f Fixity) Bad() bool { return f.Damaged+f.Missing+f.Unread > 0 }
