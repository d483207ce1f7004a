package crashtest

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// auditTransfer checks a completed transfer: each step has one result for every file,
// the counters equal the rows, and the transfer was completed once.
func (e *env) auditTransfer(files int64) {
	e.t.Helper()
	r, err := e.row()
	testkit.Must(e.t, err)
	if r.state != "completed" || r.files != files || r.finished != files || !r.ended.Valid {
		e.t.Errorf("the transfer is %+v, want it completed with all of %d files", r, files)
	}
	e.auditRows(files)
	var rows int64
	testkit.Must(e.t, e.db.QueryRowContext(e.t.Context(), "SELECT COUNT(*) FROM files WHERE transfer_id = ?", e.id).Scan(&rows))
	if rows != files {
		e.t.Errorf("the transfer has %d rows of files, want %d", rows, files)
	}
	e.auditClient(files)
	e.auditFinalStep(files)
	if n := e.logged("transfer completed"); n > 1 {
		e.t.Errorf("the transfer was completed %d times", n)
	}
}

// auditRows compares counters with rows, and rows with files. Files that a dead producer
// has inserted and not counted do not belong to the transfer.
func (e *env) auditRows(files int64) {
	e.t.Helper()
	rows, err := e.db.QueryContext(e.t.Context(), `SELECT st.no, st.selected,
		st.succeeded + st.warning + st.skipped + st.failed + st.error + st.timed_out + st.canceled, st.succeeded,
		(SELECT COUNT(*) FROM results r WHERE r.transfer_id = st.transfer_id AND r.step_no = st.no),
		(SELECT COUNT(*) FROM results r WHERE r.transfer_id = st.transfer_id AND r.step_no = st.no AND r.outcome = 'succeeded'),
		(SELECT COUNT(*) FROM files f WHERE f.transfer_id = st.transfer_id AND f.no <= t.files AND NOT EXISTS (
			SELECT 1 FROM results r WHERE r.transfer_id = f.transfer_id AND r.step_no = st.no AND r.file_no = f.no)),
		(SELECT COUNT(DISTINCT f.path) FROM files f WHERE f.transfer_id = st.transfer_id AND f.no <= t.files)
		FROM steps st JOIN transfers t ON t.id = st.transfer_id WHERE st.transfer_id = ? ORDER BY st.no`, e.id)
	testkit.Must(e.t, err)
	defer rows.Close()
	steps := 0
	for rows.Next() {
		var no, routed, counted, countedWell, recorded, recordedWell, without, paths int64
		testkit.Must(e.t, rows.Scan(&no, &routed, &counted, &countedWell, &recorded, &recordedWell, &without, &paths))
		steps++
		if recorded != files || without != 0 || routed != files || counted != recorded || countedWell != recordedWell || paths != files {
			e.t.Errorf("step %d: %d files (%d paths), %d routed, %d results, %d files without one; counters say %d results, %d of them successes; rows %d",
				no, files, paths, routed, recorded, without, counted, countedWell, recordedWell)
		}
	}
	if err := rows.Err(); err != nil || steps != 2 {
		e.t.Errorf("%d steps, %v; want 2", steps, err)
	}
	var failed, noted, agree int64
	testkit.Must(e.t, e.db.QueryRowContext(e.t.Context(), `SELECT
		(SELECT COUNT(*) FROM results WHERE transfer_id = ? AND outcome IN ('failed', 'error', 'timed_out')),
		(SELECT COUNT(*) FROM failures WHERE transfer_id = ?),
		(SELECT COUNT(*) FROM failures f JOIN results r ON r.transfer_id = f.transfer_id AND r.step_no = f.step_no
			AND r.file_no = f.file_no AND r.outcome = f.outcome WHERE f.transfer_id = ?)`, e.id, e.id, e.id).Scan(&failed, &noted, &agree))
	if noted != failed || agree != failed {
		e.t.Errorf("%d results are failures; %d are in the table of failures, %d of them correct", failed, noted, agree)
	}
}

// auditClient makes the same checks with the command line.
func (e *env) auditClient(files int64) {
	e.t.Helper()
	var sum tasks.Summary
	lines := e.client("status", "--json", e.transfer)
	testkit.Must(e.t, json.Unmarshal(lines[len(lines)-1], &sum))
	if sum.State != tasks.StateCompleted || sum.Files != files || sum.Finished != files {
		e.t.Errorf("status says %+v", sum)
	}
	type key struct {
		step string
		file int64
	}
	seen := make(map[key]int)
	for _, text := range e.client("results", "--json", e.transfer) {
		var l tasks.ResultLine
		testkit.Must(e.t, json.Unmarshal(text, &l))
		seen[key{l.Step, l.File}]++
	}
	for k, n := range seen {
		if n != 1 {
			e.t.Errorf("results lists file %d at %s %d times", k.file, k.step, n)
		}
	}
	if len(seen) != 2*int(files) {
		e.t.Errorf("results lists %d results, want %d", len(seen), 2*files)
	}
}

// auditFinalStep checks that the final step has ended and that its manifest is
// complete, even if a worker died while it ran.
func (e *env) auditFinalStep(files int64) {
	e.t.Helper()
	var state string
	err := e.db.QueryRowContext(e.t.Context(), "SELECT state FROM finalize_steps WHERE transfer_id = ?", e.id).Scan(&state)
	if err != nil || state != "done" {
		e.t.Errorf("the final step is %s, %v", state, err)
	}
	text, err := os.ReadFile(e.manifest())
	if n := int64(strings.Count(string(text), "\n")); err != nil || e.digests && n != files {
		e.t.Errorf("the manifest has %d lines, %v; want %d", n, err, files)
	}
}

// logged counts a message in the logs of all processes.
func (e *env) logged(message string) int {
	e.t.Helper()
	logs := make(map[string]bool)
	for _, p := range e.processes {
		logs[p.log] = true
	}
	n := 0
	for log := range logs {
		text, err := os.ReadFile(log)
		testkit.Must(e.t, err)
		n += strings.Count(string(text), fmt.Sprintf("%q", message))
	}
	return n
}

// settle starts a last worker, which processes the late sets and unacknowledged batches
// that dead processes left in the queue. It checks that this changes no result, that no
// batch stays open, and that no key stays in Redis. All other workers must have stopped.
func (e *env) settle() {
	e.t.Helper()
	before := e.fingerprint()
	e.age(e.held())
	w := e.worker("last", "")
	testkit.Eventually(e.t, patience, func() error {
		var open int
		if err := e.db.QueryRowContext(e.t.Context(), "SELECT COUNT(*) FROM batches").Scan(&open); err != nil {
			return err
		}
		if keys := e.strays(); len(keys) > 0 || open > 0 {
			return fmt.Errorf("left over: %d keys, such as %v, and %s\n%s", len(keys), keys[:min(len(keys), 8)], e.ledger(), w.logText())
		}
		return nil
	})
	w.awaitStarted()
	w.finish()
	if after := e.fingerprint(); after != before {
		e.t.Errorf("late messages have changed results: %s became %s", before, after)
	}
}

// fingerprint returns a text that changes when a result, a counter or a time of the
// transfer changes.
func (e *env) fingerprint() string {
	e.t.Helper()
	var results, steps, transfer string
	for query, into := range map[string]*string{
		`SELECT CONCAT_WS(' ', COUNT(*), SUM(CRC32(CONCAT_WS(' ', step_no, file_no, outcome, attempt, worker, started_at, ended_at, batch_id))))
			FROM results WHERE transfer_id = ?`: &results,
		`SELECT GROUP_CONCAT(CONCAT_WS(' ', no, selected, succeeded, failed, error, timed_out) ORDER BY no) FROM steps WHERE transfer_id = ?`: &steps,
		`SELECT CONCAT_WS(' ', state, files, finished, sealed_at, ended_at) FROM transfers WHERE id = ?`:                                      &transfer,
	} {
		testkit.Must(e.t, e.db.QueryRowContext(e.t.Context(), query, e.id).Scan(into))
	}
	return results + " | " + steps + " | " + transfer
}

// strays returns the keys of the queue that belong to batches or files.
func (e *env) strays() (keys []string) {
	e.t.Helper()
	all, err := e.redis.Keys(e.t.Context(), "asynq:{default}:*").Result()
	testkit.Must(e.t, err)
	for _, k := range all {
		statistics := false
		for _, pattern := range []string{"*:processed*", "*:failed*", "*:groups"} {
			match, _ := path.Match(pattern, k) // the patterns are well formed
			statistics = statistics || match
		}
		if !statistics {
			keys = append(keys, k)
		}
	}
	return keys
}
