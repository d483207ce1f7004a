package testkit

import (
	"strings"
	"testing"
)

// IsMariaDB reports whether the server of a mysql:// URL is MariaDB, for what it names
// otherwise than MySQL, or has alone.
func IsMariaDB(t testing.TB, address string) bool {
	t.Helper()
	var version string
	if err := Database(t, address).QueryRowContext(t.Context(), "SELECT VERSION()").Scan(&version); err != nil {
		t.Fatalf("mysql: read the version: %v", err)
	}
	return strings.Contains(version, "MariaDB")
}

// ReadOnlyVariable is the name of the server's variable that makes transactions read-only.
func ReadOnlyVariable(t testing.TB, address string) string {
	t.Helper()
	if IsMariaDB(t, address) { // later ones know both
		return "tx_read_only"
	}
	return "transaction_read_only"
}
