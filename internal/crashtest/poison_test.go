package crashtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
)

// TestFileThatKillsItsWorker has one file that crashes every worker, and slow files
// that the same worker processes when it crashes. Workers are restarted, as an
// orchestrator does. In the end only that file has failed, and every other file
// has passed.
func TestFileThatKillsItsWorker(t *testing.T) {
	t.Parallel()
	for _, via := range []string{"bulk", "group"} {
		t.Run(via, func(t *testing.T) {
			t.Parallel()
			const files, poison, slowEvery = 60, 9, 6
			root := writeNumbered(t, files)
			write := func(no int, content string) {
				testkit.Must(t, os.WriteFile(filepath.Join(root, fmt.Sprintf("%05d", no)), []byte(content), 0o600))
			}
			for no := 0; no < files; no += slowEvery {
				write(no, "sleep 1s")
			}
			write(poison, "die")
			e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
			if p := e.submit("", via, e.recipe("recipe", plain), root); p.wait() != nil {
				t.Fatalf("submit: %s", p.logText())
			}
			e.findTransfer()
			deaths := e.restartWorkers()
			e.auditPoison(fmt.Sprintf("%05d", poison), files)
			e.settle()
			// The file crashes a worker once in each of two batches with other files, or in one
			// and while another batch runs, and once alone; once more when its first batch was
			// small enough to run alone.
			if deaths > 4 {
				t.Errorf("one file killed %d workers", deaths)
			}
			t.Logf("%d workers died before the file failed", deaths)
		})
	}
}

// restartWorkers runs one worker after another until the transfer has ended, and
// returns how many died.
func (e *env) restartWorkers() (deaths int) {
	e.t.Helper()
	for {
		w := e.worker(fmt.Sprintf("worker%d", deaths), "")
		ended := false
		testkit.Eventually(e.t, patience, func() error {
			select {
			case <-w.ended:
				return nil
			default:
			}
			r, err := e.row()
			ended = err == nil && r.state == "completed"
			if !ended {
				return fmt.Errorf("the transfer is %s; %s\n%s", r.state, e.ledger(), w.logText())
			}
			return nil
		})
		if ended {
			w.finish()
			return deaths
		}
		deaths++
		e.age(e.held())
	}
}

// auditPoison checks that one file has failed because it crashed workers, and that
// all others have passed both steps.
func (e *env) auditPoison(name string, files int) {
	e.t.Helper()
	rows, err := e.db.QueryContext(e.t.Context(), `SELECT r.step_no, f.path, r.outcome, r.code FROM results r
		JOIN files f ON f.transfer_id = r.transfer_id AND f.no = r.file_no WHERE r.transfer_id = ?`, e.id)
	testkit.Must(e.t, err)
	defer rows.Close()
	well := 0
	for rows.Next() {
		var step int
		var path, outcome, code string
		testkit.Must(e.t, rows.Scan(&step, &path, &outcome, &code))
		switch {
		case filepath.Base(path) == name:
			if step != 1 || outcome != "error" || code != handlers.CodeWorkerCrashed {
				e.t.Errorf("the poison file ended as %s, %s at step %d", outcome, code, step)
			}
		case outcome != "succeeded":
			e.t.Errorf("%s is not the poison file and ended as %s, %s at step %d", path, outcome, code, step)
		default:
			well++
		}
	}
	if err := rows.Err(); err != nil || well != 2*(files-1) {
		e.t.Errorf("%d results of the other files, %v; want %d", well, err, 2*(files-1))
	}
}
