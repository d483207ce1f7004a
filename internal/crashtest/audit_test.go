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

// audit checks the promise on a transfer that has completed: each step has one
// result for every file, the counters equal the rows, nobody completed it twice.
func (s *stage) audit(files int64) {
	s.t.Helper()
	r, err := s.row()
	testkit.Must(s.t, err)
	if r.state != "completed" || r.files != files || r.finished != files || !r.ended.Valid {
		s.t.Errorf("the transfer is %+v, want it completed with all of %d files", r, files)
	}
	s.auditRows(files)
	s.auditClient(files)
	s.auditClosing(files)
	if n := s.logged("transfer completed"); n > 1 {
		s.t.Errorf("the transfer was completed %d times", n)
	}
}

// auditRows compares counters with rows, and rows with files.
func (s *stage) auditRows(files int64) {
	s.t.Helper()
	rows, err := s.db.QueryContext(s.t.Context(), `SELECT st.no, st.selected,
		st.succeeded + st.warning + st.skipped + st.failed + st.error + st.timed_out + st.canceled, st.succeeded,
		(SELECT COUNT(*) FROM results r WHERE r.transfer_id = st.transfer_id AND r.step_no = st.no),
		(SELECT COUNT(*) FROM results r WHERE r.transfer_id = st.transfer_id AND r.step_no = st.no AND r.outcome = 'succeeded'),
		(SELECT COUNT(*) FROM files f WHERE f.transfer_id = st.transfer_id AND NOT EXISTS (
			SELECT 1 FROM results r WHERE r.transfer_id = f.transfer_id AND r.step_no = st.no AND r.file_no = f.no)),
		(SELECT COUNT(DISTINCT f.path) FROM files f WHERE f.transfer_id = st.transfer_id)
		FROM steps st WHERE st.transfer_id = ? ORDER BY st.no`, s.id)
	testkit.Must(s.t, err)
	defer rows.Close()
	steps := 0
	for rows.Next() {
		var no, routed, counted, countedWell, recorded, recordedWell, without, paths int64
		testkit.Must(s.t, rows.Scan(&no, &routed, &counted, &countedWell, &recorded, &recordedWell, &without, &paths))
		steps++
		if recorded != files || without != 0 || routed != files || counted != recorded || countedWell != recordedWell || paths != files {
			s.t.Errorf("step %d: %d files (%d paths), %d routed, %d results, %d files without one; counters say %d results, %d of them well; rows %d",
				no, files, paths, routed, recorded, without, counted, countedWell, recordedWell)
		}
	}
	if err := rows.Err(); err != nil || steps != 2 {
		s.t.Errorf("%d steps, %v; want 2", steps, err)
	}
}

// auditClient asks the command line the same.
func (s *stage) auditClient(files int64) {
	s.t.Helper()
	var sum tasks.Summary
	lines := s.client("status", "--json", s.transfer)
	testkit.Must(s.t, json.Unmarshal(lines[len(lines)-1], &sum))
	if sum.State != tasks.StateCompleted || sum.Files != files || sum.Finished != files {
		s.t.Errorf("status says %+v", sum)
	}
	type key struct {
		step string
		file int64
	}
	seen := make(map[key]int)
	for _, text := range s.client("results", "--json", s.transfer) {
		var l tasks.ResultLine
		testkit.Must(s.t, json.Unmarshal(text, &l))
		seen[key{l.Step, l.File}]++
	}
	for k, n := range seen {
		if n != 1 {
			s.t.Errorf("results lists file %d at %s %d times", k.file, k.step, n)
		}
	}
	if len(seen) != 2*int(files) {
		s.t.Errorf("results lists %d results, want %d", len(seen), 2*files)
	}
}

// auditClosing checks that the final step has run to its end, whoever died
// with it, and left nothing but what it is to write.
func (s *stage) auditClosing(files int64) {
	s.t.Helper()
	var state string
	err := s.db.QueryRowContext(s.t.Context(), "SELECT state FROM finalize_steps WHERE transfer_id = ?", s.id).Scan(&state)
	if err != nil || state != "done" {
		s.t.Errorf("the final step is %s, %v", state, err)
	}
	text, err := os.ReadFile(s.manifest())
	if n := int64(strings.Count(string(text), "\n")); err != nil || s.digests && n != files {
		s.t.Errorf("the manifest has %d lines, %v; want %d", n, err, files)
	}
}

// logged counts a message in the logs of all processes.
func (s *stage) logged(message string) int {
	s.t.Helper()
	logs := make(map[string]bool)
	for _, p := range s.processes {
		logs[p.log] = true
	}
	n := 0
	for log := range logs {
		text, err := os.ReadFile(log)
		testkit.Must(s.t, err)
		n += strings.Count(string(text), fmt.Sprintf("%q", message))
	}
	return n
}

// settle lets everything come back that the dead have left behind, late sets
// and unacknowledged batches, and checks that it changes nothing and ends: no
// result is touched, no batch stays open, no key stays in Redis. Workers must
// have stopped.
func (s *stage) settle() {
	s.t.Helper()
	before := s.fingerprint()
	s.age(s.held())
	w := s.worker("broom", "")
	testkit.Eventually(s.t, patience, func() error {
		var open int
		if err := s.db.QueryRowContext(s.t.Context(), "SELECT COUNT(*) FROM batches").Scan(&open); err != nil {
			return err
		}
		if keys := s.strays(); len(keys) > 0 || open > 0 {
			return fmt.Errorf("left behind: %d keys, as %v, and %s\n%s", len(keys), keys[:min(len(keys), 8)], s.ledger(), w.logText())
		}
		return nil
	})
	w.awaitStarted()
	w.finish()
	if after := s.fingerprint(); after != before {
		s.t.Errorf("what came late has changed results: %s became %s", before, after)
	}
}

// fingerprint tells whether any result, counter or end has changed.
func (s *stage) fingerprint() string {
	s.t.Helper()
	var results, steps, transfer string
	for query, into := range map[string]*string{
		`SELECT CONCAT_WS(' ', COUNT(*), SUM(CRC32(CONCAT_WS(' ', step_no, file_no, outcome, attempt, worker, started_at, ended_at, batch_id))))
			FROM results WHERE transfer_id = ?`: &results,
		`SELECT GROUP_CONCAT(CONCAT_WS(' ', no, selected, succeeded, failed, error, timed_out) ORDER BY no) FROM steps WHERE transfer_id = ?`: &steps,
		`SELECT CONCAT_WS(' ', state, files, finished, sealed_at, ended_at) FROM transfers WHERE id = ?`:                                      &transfer,
	} {
		testkit.Must(s.t, s.db.QueryRowContext(s.t.Context(), query, s.id).Scan(into))
	}
	return results + " | " + steps + " | " + transfer
}

// strays are the keys that stand for work.
func (s *stage) strays() (keys []string) {
	s.t.Helper()
	all, err := s.redis.Keys(s.t.Context(), "asynq:{default}:*").Result()
	testkit.Must(s.t, err)
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
