package crashtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// TestLimitHoldsWhileWorkersDie has a step that uses a named limit, and workers that are
// killed and replaced while its batches run. Never do more of them run at once than the limit
// allows, the steps before it do not wait for it, and all files end.
func TestLimitHoldsWhileWorkersDie(t *testing.T) {
	t.Parallel()
	const files, limit = 120, 2
	e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
	e.more = append(e.more, fmt.Sprintf("BALER_LIMITS=gpu=%d", limit))
	counts := t.TempDir()
	recipe := filepath.Join(e.dir, "limited.yaml")
	testkit.Must(t, os.WriteFile(recipe, []byte("name: limited\nsteps:\n  - {name: before, handler: noop, batch: {max_items: 5}}\n"+
		"  - name: limited\n    handler: faulty\n    limits: [gpu]\n    batch: {max_items: 3, max_delay: 100ms}\n"+
		"    with: {pause: 100ms, count: '"+counts+"'}\n"), 0o600))
	workers := make([]*process, 3)
	for i := range workers {
		workers[i] = e.worker(fmt.Sprintf("worker%d", i), "")
	}
	if p := e.submit("", "bulk", recipe, writeNumbered(t, files)); p.wait() != nil {
		t.Fatalf("submit: %s", p.logText())
	}
	e.findTransfer()
	for i := range workers { // while one is dead, others may use what it does not hold
		e.awaitResults(2, (i+1)*files/5)
		workers[i].kill()
		workers[i] = e.worker(fmt.Sprintf("worker%d", len(workers)+i), "")
	}
	if n := e.results(1); n < files {
		t.Errorf("the step before the limited one has only %d results: it waits for the limit", n)
	}
	e.awaitCompleted()
	if n := e.results(2); n != files {
		t.Errorf("%d of %d files have a result", n, files)
	}
	peaks, err := filepath.Glob(filepath.Join(counts, "*.peak"))
	testkit.Must(t, err)
	reached := false
	for _, path := range peaks {
		var n int
		_, err := fmt.Sscanf(filepath.Base(path), "%d.peak", &n)
		testkit.Must(t, err)
		reached = reached || n == limit
		if n > limit {
			t.Errorf("%d batches ran at once under a limit of %d", n, limit)
		}
	}
	if !reached {
		t.Errorf("the limit of %d was never used: %q", limit, peaks)
	}
}

func (e *env) results(step int) (n int) {
	e.t.Helper()
	err := e.db.QueryRowContext(e.t.Context(), "SELECT COUNT(*) FROM results WHERE transfer_id = ? AND step_no = ?", e.id, step).Scan(&n)
	testkit.Must(e.t, err)
	return n
}

func (e *env) awaitResults(step, least int) {
	e.t.Helper()
	testkit.Eventually(e.t, patience, func() error {
		if n := e.results(step); n < least {
			return fmt.Errorf("step %d has %d results, want %d; %s%s", step, n, least, e.ledger(), e.logs())
		}
		return nil
	})
}
