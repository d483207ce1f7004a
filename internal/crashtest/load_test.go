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

// TestLoadingWorkersKilled kills or freezes a worker while it loads lines: with rows
// inserted but not committed, with a section committed but not reported, and with the result
// recorded. Another worker continues, and each line is in the table once, although the
// table has no key.
func TestLoadingWorkersKilled(t *testing.T) {
	t.Parallel()
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
			e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
			p := e.start("producer", "", "load", path, "--into", "numbers", "--create", "--map", "n:int", "--chunk", "32KiB", "--wait=false")
			if err := p.wait(); err != nil {
				t.Fatalf("load: %v; its log:\n%s", err, p.logText())
			}
			e.findTransfer()
			victim := e.worker("a", fault)
			frozen := strings.HasPrefix(fault, "stop")
			if frozen {
				victim.awaitStopped()
			} else {
				victim.awaitKilled()
			}
			left := e.held()
			other := e.worker("b", "")
			other.awaitStarted()
			e.age(left)
			e.awaitCompleted()
			if frozen {
				victim.signal(syscall.SIGCONT)
				victim.finish()
			}
			other.finish()
			e.settle()
			e.auditLines(lines)
		})
	}
}

// auditLines checks that each line is in the table once, and counted once.
func (e *env) auditLines(lines int64) {
	e.t.Helper()
	var rows, different, counted, results int64
	err := e.db.QueryRowContext(e.t.Context(), "SELECT (SELECT COUNT(*) FROM numbers), (SELECT COUNT(DISTINCT n) FROM numbers), "+
		"(SELECT SUM(loaded) FROM loads), (SELECT SUM(JSON_EXTRACT(facts, '$.loaded')) FROM results)").
		Scan(&rows, &different, &counted, &results)
	testkit.Must(e.t, err)
	if rows != lines || different != lines || counted != lines || results != lines {
		e.t.Errorf("%d rows, %d different, %d counted, %d in results; want %d%s", rows, different, counted, results, lines, e.logs())
	}
}

// TestTwoLoadsOfOneFile loads a file with two transfers in two processes. While one has
// inserted rows and not committed, the other waits. Then it finds the lines loaded.
func TestTwoLoadsOfOneFile(t *testing.T) {
	t.Parallel()
	const lines = 1000
	path := filepath.Join(t.TempDir(), "lines.jsonl")
	var content strings.Builder
	for i := range lines {
		fmt.Fprintf(&content, "{\"n\":%d}\n", i)
	}
	testkit.Must(t, os.WriteFile(path, []byte(content.String()), 0o600))
	e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
	for range 2 {
		p := e.start("producer", "", "load", path, "--into", "numbers", "--create", "--map", "n:int", "--wait=false")
		if err := p.wait(); err != nil {
			t.Fatalf("load: %v; its log:\n%s", err, p.logText())
		}
	}
	e.findTransfer()
	marker := filepath.Join(e.dir, "marker")
	// A worker that takes both batches would wait for itself.
	first := e.start("a", fmt.Sprintf("wait@%s:1:%s", failpoint.RowsInserted, marker), "worker", "--concurrency", "1")
	awaitMarker(t, marker, first)
	second := e.worker("b", "")
	second.awaitStarted()
	testkit.Eventually(t, patience, func() error {
		var waiting int
		err := e.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.processlist "+
			"WHERE db = DATABASE() AND info LIKE 'INSERT INTO leases (name, holder, until) VALUES (''load-%'").Scan(&waiting)
		if err == nil && waiting == 0 {
			err = fmt.Errorf("the second load does not wait%s", e.logs())
		}
		return err
	})
	testkit.Must(t, os.Remove(marker))
	e.awaitCompleted()
	first.finish()
	second.finish()
	e.auditLines(lines)
	var leases int
	testkit.Must(t, e.db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM leases WHERE name LIKE 'load-%'").Scan(&leases))
	if leases > 0 {
		t.Errorf("%d locks of loads are left", leases)
	}
}
