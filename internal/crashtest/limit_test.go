package crashtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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

// TestDeadlineWithoutItsDispatcher kills the worker whose dispatcher leads before a deadline:
// another one ends the transfer, and what runs elsewhere stops.
func TestDeadlineWithoutItsDispatcher(t *testing.T) {
	t.Parallel()
	e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
	first := e.worker("worker0", "")
	first.awaitStarted()
	root := t.TempDir()
	for i := range 12 {
		testkit.Must(t, os.WriteFile(filepath.Join(root, strconv.Itoa(i)), []byte("sleep 10m"), 0o600))
	}
	recipe := filepath.Join(e.dir, "endless.yaml")
	testkit.Must(t, os.WriteFile(recipe, []byte("name: endless\nsteps: [{handler: faulty, batch: {max_items: 1}}]\n"), 0o600))
	if p := e.start("producer", "", "submit", "--json", "--deadline", "8s", "--recipe", recipe, root); p.wait() != nil {
		t.Fatalf("submit: %s", p.logText())
	}
	e.findTransfer()
	second := e.worker("worker1", "")
	second.awaitStarted()
	first.kill()
	e.awaitThat("the deadline has canceled it", func(r row) bool { return r.state == "canceled" })
	testkit.Eventually(t, patience, func() error {
		var canceled, left int
		err := e.db.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM results WHERE transfer_id = ? AND code = 'deadline-exceeded'),"+
			" (SELECT COUNT(*) FROM batches WHERE transfer_id = ?)", e.id, e.id).Scan(&canceled, &left)
		if err == nil && (left > 0 || canceled == 0) {
			return fmt.Errorf("%d files have ended as deadline-exceeded, and %d batches are left; %s", canceled, left, e.logs())
		}
		return err
	})
}
