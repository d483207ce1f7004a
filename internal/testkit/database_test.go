package testkit

import "testing"

func TestDatabaseIsThatOfItsURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"sqlite:" + t.TempDir() + "/a.db", MySQL(t)} {
		db := Database(t, address)
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE kept (n INT)"); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
		var n int
		if err := Database(t, address).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM kept").Scan(&n); err != nil {
			t.Errorf("%s: a second connection: %v", address, err)
		}
	}
}
