package doctor_test

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/doctor"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
)

func TestReplica(t *testing.T) {
	t.Parallel()
	open := func() (string, *store.Store) {
		url := testkit.MySQL(t)
		db, err := store.Open(t.Context(), url, store.Options{})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, db)
		_, err = db.Migrate(t.Context())
		testkit.Must(t, err)
		return url, db
	}
	s := newSite(t, testkit.Redis(t))
	s.cfg.Database.URL, s.store = open()
	for _, c := range doctor.Diagnose(t.Context(), s.cfg, doctor.Options{}) {
		if c.Name == "replica" {
			t.Errorf("without a replica: %v", c)
		}
	}
	s.cfg.Database.ReplicaURL = "mysql://baler:baler@127.0.0.1:1/baler"
	s.expect(t, "replica", doctor.StatusWarning, "start the replica, or correct database.replica_url; until then pages read the database itself", nil)
	s.cfg.Database.ReplicaURL = s.cfg.Database.URL // nothing is quicker
	s.expect(t, "replica", doctor.StatusOK, "behind", nil)

	url, other := open() // this test copies rows in the place of a server
	s.cfg.Database.ReplicaURL = url
	s.expect(t, "replica", doctor.StatusWarning, "does not replicate", nil)
	maker, err := s.store.MarkReplication(t.Context())
	testkit.Must(t, err)
	copied := func(age time.Duration) {
		t.Helper()
		testkit.Must(t, other.DB().Session(t.Context()).Exec("REPLACE INTO leases (name, holder, until) VALUES ('replication mark', ?, ?)",
			maker, s.store.Now().Add(-age)).Error)
	}
	copied(time.Hour)
	s.expect(t, "replica", doctor.StatusWarning, "1h0m", nil)
	copied(10 * time.Second)
	s.expect(t, "replica", doctor.StatusWarning, "pages say how far they are behind", nil)
}
