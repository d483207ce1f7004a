package tableload

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/internal/db"
)

// loadBytes limits the rows of one statement. It is large enough that round trips cost
// little, and small enough for the buffer that the MySQL driver keeps with a connection,
// and for SQLite, which accepts a million bytes.
const loadBytes = 240 << 10

// packetMargin is an upper bound of the bytes in a packet to MySQL besides the statement.
const packetMargin = 256

// packetBytes is the longest packet that the server accepts, in bytes; 0 for no limit.
// When it gets a longer one, the server closes the connection, which looks like an outage.
func (s *Store) packetBytes(ctx context.Context) (n int, err error) {
	if s.db.Dialect() == db.SQLite {
		return 0, nil
	}
	if err := s.db.Session(ctx).Raw("SELECT @@max_allowed_packet").Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("read max_allowed_packet: %w", err)
	}
	return n, nil
}

// rowBytes is the longest text of one row, in bytes.
func (t *Table) rowBytes() int {
	if t.packet == 0 {
		return db.MaxRowBytes
	}
	return min(db.MaxRowBytes, t.packet-packetMargin-len(t.insert)-len(t.clause))
}

// statementBytes is the longest text of all rows of one statement, in bytes.
func (t *Table) statementBytes() int { return min(loadBytes, t.rowBytes()) }

// rowTooLarge says why a row cannot be sent.
func (t *Table) rowTooLarge() string {
	if limit := t.rowBytes(); limit < db.MaxRowBytes {
		return fmt.Sprintf("the row is larger than %d KiB, which is all that the database accepts at once; "+
			"raise the server's max_allowed_packet, which is %d KiB", limit>>10, t.packet>>10)
	}
	return fmt.Sprintf("the row is larger than %d MiB, the limit for a row", db.MaxRowBytes>>20)
}
