package tableload

import "github.com/balerhq/baler/internal/db"

// Store describes, creates and fills users' tables, and keeps the log of loaded sections.
// It is safe for concurrent use.
type Store struct{ db *db.DB }

// New returns a Store on d.
func New(d *db.DB) *Store { return &Store{db: d} }
