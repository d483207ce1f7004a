package db

import (
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/testkit"
)

// Statements are cut to what the server takes, also when escaping doubles the text,
// and a row that is larger than that is one clear error that leaves the transaction
// as it was.
func TestServerThatTakesSmallStatements(t *testing.T) {
	t.Parallel()
	d, err := Open(t.Context(), testkit.NewMySQLServer(t, "--max-allowed-packet=1M").URL(), Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, d)
	db := d.Session(t.Context())
	testkit.Must(t, db.Exec("CREATE TABLE texts (no INT PRIMARY KEY, a MEDIUMTEXT, b MEDIUMBLOB) CHARACTER SET utf8mb4").Error)
	size := func(r *textRow) int { return len(r.A) + len(r.B) }
	for way, insert := range map[string]func(*gorm.DB, []textRow) error{
		"literals":   func(tx *gorm.DB, rows []textRow) error { return BulkInsert(tx, "texts", textColumns(), rows, size) },
		"parameters": func(tx *gorm.DB, rows []textRow) error { return InsertBySize(tx, rows, size) },
	} {
		var rows []textRow
		for i := range int64(200) {
			rows = append(rows, textRow{i, strings.Repeat([]string{"x", "'"}[i%2], 65_000), []byte(strings.Repeat("é", 1000))})
		}
		testkit.Must(t, insert(db, rows))
		var stored int64
		testkit.Must(t, db.Raw("SELECT SUM(LENGTH(a) + LENGTH(b)) FROM texts").Scan(&stored).Error)
		if stored != 200*67_000 {
			t.Errorf("%s: %d bytes stored", way, stored)
		}
		testkit.Must(t, db.Exec("DELETE FROM texts").Error)

		for i, text := range []string{strings.Repeat("x", 2<<20), strings.Repeat("é", 600_000)} {
			tx := db.Begin()
			testkit.Must(t, tx.Error)
			err := insert(tx, []textRow{{No: 1000}, {No: 1001, A: text}})
			if !errors.Is(err, ErrRowTooLarge) || !IsRejected(err) || !strings.Contains(err.Error(), "takes a statement of 1048576") {
				t.Errorf("%s, text %d: %v", way, i, err)
			}
			testkit.Must(t, tx.Exec("SELECT 1 FROM texts").Error)
			testkit.Must(t, tx.Rollback().Error)
		}
	}
}
