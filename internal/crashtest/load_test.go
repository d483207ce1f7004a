package crashtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// TestLoadingWorkersKilled has a worker die, or freeze, at the worst moments of
// loading lines: with rows inserted and not committed, with a section committed
// and told to nobody, with the result recorded. Others go on, and each line is
// in the table once, which has no key to help.
func TestLoadingWorkersKilled(t *testing.T) {
	const lines = 20_000
	path := filepath.Join(t.TempDir(), "lines.jsonl")
	var content strings.Builder
	for i := range lines {
		fmt.Fprintf(&content, "{\"n\":%d,\"pad\":\"%s\"}\n", i, strings.Repeat("x", i%90))
	}
	testkit.Must(t, os.WriteFile(path, []byte(content.String()), 0o600))
	for _, fault := range []string{
		fmt.Sprintf("kill@%s:3", failpoint.RowsInserted),
		fmt.Sprintf("kill@%s:3", failpoint.SectionLoaded),
		fmt.Sprintf("kill@%s:2", failpoint.BatchClosed),
		fmt.Sprintf("stop@%s:3", failpoint.RowsInserted),
		fmt.Sprintf("stop@%s:3", failpoint.SectionLoaded),
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, testkit.Redis(t), testkit.MySQL(t))
			p := s.start("producer", "", "load", path, "--into", "numbers", "--create", "--map", "n:int", "--chunk", "32KiB", "--wait=false")
			if err := p.wait(); err != nil {
				t.Fatalf("load: %v; it says\n%s", err, p.logText())
			}
			s.learn()
			victim := s.worker("a", fault)
			frozen := strings.HasPrefix(fault, "stop")
			if frozen {
				victim.awaitStopped()
			} else {
				victim.awaitKilled()
			}
			left := s.held()
			other := s.worker("b", "")
			other.awaitStarted()
			s.age(left)
			s.await()
			if frozen {
				victim.signal(syscall.SIGCONT)
				victim.finish()
			}
			other.finish()
			s.settle()
			s.auditLines(lines)
		})
	}
}

// auditLines checks that each line is in once, and counted once.
func (s *stage) auditLines(lines int64) {
	s.t.Helper()
	var rows, different, counted, results int64
	err := s.db.QueryRowContext(s.t.Context(), "SELECT (SELECT COUNT(*) FROM numbers), (SELECT COUNT(DISTINCT n) FROM numbers), "+
		"(SELECT SUM(loaded) FROM loads), (SELECT SUM(JSON_EXTRACT(facts, '$.loaded')) FROM results)").
		Scan(&rows, &different, &counted, &results)
	testkit.Must(s.t, err)
	if rows != lines || different != lines || counted != lines || results != lines {
		s.t.Errorf("%d rows, %d different, %d counted, %d in results; want %d%s", rows, different, counted, results, lines, s.logs())
	}
}
