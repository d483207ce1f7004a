package tableload

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/db"
)

// loadBytes bounds the rows of one statement: large enough that round trips cost
// nothing, small enough for the buffer that the MySQL driver keeps with a
// connection, and for SQLite, which takes a million bytes.
const loadBytes = 240 << 10

// packetMargin is an upper bound of what a packet to MySQL holds beside its statement.
const packetMargin = 256

// packetBytes is the longest packet that the server takes, in bytes, 0 for no limit. A
// server answers a longer one by closing the connection, as if it were away.
func (s *Store) packetBytes(ctx context.Context) (n int, err error) {
	if s.db.Dialect() == db.SQLite {
		return 0, nil
	}
	if err := s.db.Session(ctx).Raw("SELECT @@max_allowed_packet").Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("ask for the longest packet: %w", err)
	}
	return n, nil
}

// rowBytes is how long the text of one row may be.
func (t *Table) rowBytes() int {
	if t.packet == 0 {
		return db.MaxRowBytes
	}
	return min(db.MaxRowBytes, t.packet-packetMargin-len(t.insert)-len(t.clause))
}

// statementBytes is how long the text of all rows of one statement may be.
func (t *Table) statementBytes() int { return min(loadBytes, t.rowBytes()) }

// rowTooLarge says why a row cannot be sent.
func (t *Table) rowTooLarge() string {
	if limit := t.rowBytes(); limit < db.MaxRowBytes {
		return fmt.Sprintf("the row is larger than %d KiB, which is all that the database takes at once; "+
			"raise the server's max_allowed_packet, which is %d KiB", limit>>10, t.packet>>10)
	}
	return fmt.Sprintf("the row is larger than %d MiB, which is more than every database takes", db.MaxRowBytes>>20)
}
