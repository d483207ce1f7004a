package doctor_test

import (
	"testing"

	"github.com/balerhq/baler/internal/doctor"
	"github.com/balerhq/baler/internal/testkit"
)

// A server whose binary log is not flushed at each commit undoes, after a power cut, commits that
// the log lacks.
func TestDurabilityOfAServer(t *testing.T) {
	t.Parallel()
	server := testkit.NewMySQLServer(t, "--log-bin=bin", "--server-id=1", "--binlog-format=ROW")
	admin := testkit.Database(t, server.URL())
	s := newSite(t, testkit.Redis(t))
	s.cfg.Database.URL = server.URL()
	for _, c := range []struct {
		flush, sync string
		status      doctor.Status
		told        string
	}{
		{"1", "1", doctor.StatusOK, "innodb_flush_log_at_trx_commit=1 sync_binlog=1"},
		{"1", "0", doctor.StatusWarning, "set sync_binlog=1 or end the binary log: a power cut loses recorded results"},
		{"2", "1", doctor.StatusWarning, "set innodb_flush_log_at_trx_commit=1: a power cut loses recorded results"},
		{"0", "100", doctor.StatusWarning, "set innodb_flush_log_at_trx_commit=1, and set sync_binlog=1"},
	} {
		for _, statement := range []string{
			"SET GLOBAL innodb_flush_log_at_trx_commit = " + c.flush, "SET GLOBAL sync_binlog = " + c.sync,
		} {
			_, err := admin.ExecContext(t.Context(), statement)
			testkit.Must(t, err)
		}
		s.expect(t, "durability", c.status, c.told, nil)
	}
}
