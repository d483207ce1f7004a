package cli

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// A database that is copied to MySQL and back again has the same rows, and goes on as before.
func TestMigrateFromAnotherDatabase(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	lines := s.exported("x.jsonl")
	s.must(exitOK, "limit", "--queue", "low", "--in-flight", "2")
	s.must(exitOK, "token", "create", "nightly")
	s.file("one/c.txt", "gamma")
	s.must(exitOK, "run", "-q", "--recipe", "checksum", s.path("one"))
	s.must(exitOK, "delete", "2") // its number is not given again
	sqlite, mysql, back := "sqlite:"+s.path(".local/state/baler/baler.db"), testkit.MySQL(t), "sqlite:"+s.path("back.db")
	first := s.must(exitOK, "migrate", "--from", sqlite, "--database", mysql)
	contains(t, "copied", first.stdout, "files: 34 rows\n", "results: 67 rows\n", "limits: 1 row\n", "all are the same in both databases.")
	s.must(exitOK, "migrate", "--from", mysql, "--database", back)
	for _, url := range []string{mysql, back} {
		again := strings.SplitAfter(s.must(exitOK, "export", "latest", "--database", url).stdout, "\n")
		equal(t, url, strings.Join(again[:len(again)-2], ""), strings.Join(lines[:len(lines)-1], ""))
		contains(t, "limits", s.must(exitOK, "limit", "--database", url).stdout, "low")
		s.file("more/b.txt", "beta")
		s.must(exitOK, "run", "-q", "--recipe", "checksum", "--database", url, "--roots", s.dir, s.path("more"))
		contains(t, "numbers go on", s.must(exitOK, "status", "latest", "--json", "--database", url).stdout, `"number":3`)
	}
	contains(t, "not empty", s.must(exitError, "migrate", "--from", sqlite, "--database", mysql).stderr,
		"the new database is not empty: table ")
	contains(t, "itself", s.must(exitError, "migrate", "--from", mysql, "--database", mysql).stderr, "is the database of the settings")
	contains(t, "none", s.must(exitError, "migrate", "--from", "sqlite:"+s.path("none.db"), "--database", mysql).stderr, "no such file")
	s.must(exitError, "migrate", "--from", sqlite, "--check")
}

// A copy that was cut off goes on; nobody opens the new database before, and a difference is
// found.
func TestMigrateGoesOnAndCompares(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.exported("x.jsonl")
	sqlite := "sqlite:" + s.path(".local/state/baler/baler.db")
	for _, url := range []string{testkit.MySQL(t), "sqlite:" + s.path("new.db")} {
		s.must(exitOK, "migrate", "--from", sqlite, "--database", url)
		s.env = append(s.env, "BALER_DATABASE_URL="+url)
		s.exec("INSERT INTO baler_migrations (id, fingerprint) VALUES ('copy of "+sqlite+"', '')",
			"DELETE FROM results WHERE step_no = 2 OR file_no > 30", "DELETE FROM files WHERE no > 7", "DELETE FROM transfers",
			"DELETE FROM seen_files", "DELETE FROM attempts")
		contains(t, "closed", s.must(exitError, "status").stderr,
			"another database is copied into this one, and that has not ended: run 'baler migrate --from' again")
		contains(t, "another", s.must(exitError, "migrate", "--from", "sqlite:"+s.file("other.db", "")).stderr, "lacks 1 migrations")
		contains(t, "goes on", s.must(exitOK, "migrate", "--from", sqlite).stdout, "files: 34 rows\n", "all are the same")
		contains(t, "opens", s.must(exitOK, "results", "latest", "--file", "2").stdout, "b.zip")
		for _, change := range []string{"UPDATE files SET size = size + 1 WHERE no = 1", "DELETE FROM files WHERE no = 1"} {
			s.exec("INSERT INTO baler_migrations (id, fingerprint) VALUES ('copy of "+sqlite+"', '')", change)
			contains(t, "differs", s.must(exitError, "migrate", "--from", sqlite).stderr, "compare table files: the databases differ: ")
			contains(t, "closed", s.must(exitError, "status").stderr, "has not ended")
			s.exec("DELETE FROM baler_migrations WHERE id LIKE 'copy of%'")
		}
	}
}

func TestMigrateRefusesWhileSomethingRuns(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.served()
	r := s.must(exitError, "migrate", "--from", s.setting("BALER_DATABASE_URL"), "--database", "sqlite:"+s.path("new.db"))
	contains(t, "runs", r.stderr, "something runs on the database mysql://", "worker ", "stop it, wait half a minute, and try again")
}
