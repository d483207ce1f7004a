package testkit

import (
	"strings"
	"sync"
	"testing"
)

func TestEachDatabaseGivesEachKindAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]string{}
	t.Run("both", func(t *testing.T) {
		EachDatabase(t, func(t *testing.T, url string) {
			t.Helper()
			if _, err := Database(t, url).ExecContext(t.Context(), "CREATE TABLE kept (n INT)"); err != nil {
				t.Errorf("%s: %v", url, err)
			}
			mu.Lock()
			defer mu.Unlock()
			kind, _, _ := strings.Cut(url, ":")
			seen[kind] = t.Name()
		})
	})
	if len(seen) != 2 || !strings.HasSuffix(seen["sqlite"], "/sqlite") || !strings.HasSuffix(seen["mysql"], "/mysql") {
		t.Errorf("ran %v", seen)
	}
}

func TestDatabaseConnectsToItsURL(t *testing.T) {
	t.Parallel()
	for _, address := range []string{SQLite(t), MySQL(t)} {
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
