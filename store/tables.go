package store

// Tables describes, creates and fills the users' own tables, and keeps the log of
// what was loaded. It is safe for concurrent use.
type Tables struct{ db *DB }

// NewTables returns a Tables on d.
func NewTables(d *DB) *Tables { return &Tables{db: d} }
