package db

import (
	"fmt"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// Errors of servers that the tests do not run on: clusters, and MySQL where the tests run on
// MariaDB. The texts are those of MySQL 9.7.
func TestErrorsOfOtherServers(t *testing.T) {
	t.Parallel()
	type verdict struct{ transient, rejected, outage bool }
	for _, c := range []struct {
		number  uint16
		state   string
		message string
		want    verdict
	}{
		{3101, "40000", "Plugin instructed the server to rollback the current transaction.", verdict{transient: true, outage: true}},
		{1180, "HY000", "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT", verdict{transient: true, outage: true}},
		{1180, "HY000", "Got error 1 - 'Operation not permitted' during COMMIT", verdict{}},
		{3100, "HY000", "Error on observer while running replication hook 'before_commit'.", verdict{transient: true, outage: true}},
		{4031, "HY000", "The client was disconnected by the server because of inactivity.", verdict{transient: true, outage: true}},
		{3169, "HY000", "Session was killed", verdict{transient: true, outage: true}},
		{3819, "HY000", "Check constraint 'parts_chk_1' is violated.", verdict{rejected: true}},
		{4025, "23000", "CONSTRAINT `parts.n` failed for `baler`.`parts`", verdict{rejected: true}},
	} {
		e := &mysql.MySQLError{Number: c.number, Message: c.message}
		copy(e.SQLState[:], c.state)
		err := fmt.Errorf("record results: %w", e)
		if got := (verdict{IsTransient(err), IsRejected(err), IsOutage(err)}); got != c.want {
			t.Errorf("%v: %+v, not %+v", err, got, c.want)
		}
	}
}
