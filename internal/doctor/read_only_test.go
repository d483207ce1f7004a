package doctor_test

import (
	"testing"

	"github.com/balerhq/baler/internal/doctor"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
)

// A server that only reads, such as a secondary, fails the check, and the hint names the primary.
func TestServerThatOnlyReads(t *testing.T) {
	t.Parallel()
	server := testkit.NewMySQLServer(t)
	s := newSite(t, testkit.Redis(t))
	s.cfg.Database.URL = server.URL()
	database, err := store.Open(t.Context(), server.URL(), store.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, database)
	_, err = database.Migrate(t.Context())
	testkit.Must(t, err)
	s.expect(t, "writes", doctor.StatusOK, "", nil)
	admin := testkit.Database(t, server.URL())
	_, err = admin.ExecContext(t.Context(), "SET GLOBAL "+testkit.ReadOnlyVariable(t, server.URL())+" = 1")
	testkit.Must(t, err)
	s.expect(t, "writes", doctor.StatusError, "point BALER_DATABASE_URL at the primary", nil)
}
