package crashtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
)

// TestFileThatKillsItsWorker has one file on which every worker dies, beside
// others that take their time, and are in the same worker's hands whenever it
// dies. Workers are started again and again, as an orchestrator does. In the end
// the guilty file is set aside, and no other has paid for it.
func TestFileThatKillsItsWorker(t *testing.T) {
	for _, via := range []string{"bulk", "group"} {
		t.Run(via, func(t *testing.T) {
			t.Parallel()
			const files, guilty, slowEvery = 60, 9, 6
			root := tree(t, files)
			write := func(no int, content string) {
				testkit.Must(t, os.WriteFile(filepath.Join(root, fmt.Sprintf("%05d", no)), []byte(content), 0o600))
			}
			for no := 0; no < files; no += slowEvery {
				write(no, "sleep 1s")
			}
			write(guilty, "die")
			s := newStage(t, testkit.Redis(t), testkit.MySQL(t))
			if p := s.submit("", via, s.recipe("recipe", plain), root); p.wait() != nil {
				t.Fatalf("submit: %s", p.logText())
			}
			s.learn()
			deaths := s.restartWorkers()
			s.auditGuilty(fmt.Sprintf("%05d", guilty), files)
			s.settle()
			// Once in company, and once alone for each attempt.
			if deaths > 6 {
				t.Errorf("%d workers died of one file", deaths)
			}
			t.Logf("%d workers died before the file was set aside", deaths)
		})
	}
}

// restartWorkers runs one worker after another until the transfer has ended,
// and tells how many died.
func (s *stage) restartWorkers() (deaths int) {
	s.t.Helper()
	for {
		w := s.worker(fmt.Sprintf("worker%d", deaths), "")
		ended := false
		testkit.Eventually(s.t, patience, func() error {
			select {
			case <-w.ended:
				return nil
			default:
			}
			r, err := s.row()
			ended = err == nil && r.state == "completed"
			if !ended {
				return fmt.Errorf("the transfer is %s; %s\n%s", r.state, s.ledger(), w.logText())
			}
			return nil
		})
		if ended {
			w.finish()
			return deaths
		}
		deaths++
		s.age(s.held())
	}
}

// auditGuilty expects one file to be set aside, and all others to have passed
// both steps.
func (s *stage) auditGuilty(name string, files int) {
	s.t.Helper()
	rows, err := s.db.QueryContext(s.t.Context(), `SELECT r.step_no, f.path, r.outcome, r.code FROM results r
		JOIN files f ON f.transfer_id = r.transfer_id AND f.no = r.file_no WHERE r.transfer_id = ?`, s.id)
	testkit.Must(s.t, err)
	defer rows.Close()
	well := 0
	for rows.Next() {
		var step int
		var path, outcome, code string
		testkit.Must(s.t, rows.Scan(&step, &path, &outcome, &code))
		switch {
		case filepath.Base(path) == name:
			if step != 1 || outcome != "error" || code != handlers.CodeWorkerCrashed {
				s.t.Errorf("the guilty file ended as %s, %s at step %d", outcome, code, step)
			}
		case outcome != "succeeded":
			s.t.Errorf("%s is innocent and ended as %s, %s at step %d", path, outcome, code, step)
		default:
			well++
		}
	}
	if err := rows.Err(); err != nil || well != 2*(files-1) {
		s.t.Errorf("%d results of the innocent, %v; want %d", well, err, 2*(files-1))
	}
}
