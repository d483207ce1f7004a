package crashtest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// TestKilledWhileMoving kills workers that move files. Afterwards each file is at its
// destination with its content, and counts as moved, whether its worker died before or
// after it removed the source.
func TestKilledWhileMoving(t *testing.T) {
	t.Parallel()
	const files = 100
	var running sync.WaitGroup
	for _, k := range []crashCase{
		{victim: worker, point: failpoint.CopyVerified, passing: 1}, {victim: worker, point: failpoint.CopyVerified, passing: 40},
		{victim: worker, point: failpoint.HandlerHalfway, passing: 30}, {victim: worker, point: failpoint.BatchClosed, passing: 2},
		{victim: frozen, point: failpoint.CopyVerified, passing: 20}, {victim: database, point: failpoint.BatchClosed, passing: 1},
	} {
		k.via, k.by = "bulk", byWorker
		running.Go(func() {
			t.Run(fmt.Sprintf("%s, passing %d", k, k.passing), func(t *testing.T) {
				e, server := k.setUp(t)
				from, to := e.movable, filepath.Join(e.outputs(), "to")
				for i := range files {
					testkit.WriteFile(t, filepath.Join(from, fmt.Sprintf("%03d", i)), fmt.Sprintf("file %d", i))
				}
				k.first = fmt.Sprintf("  - name: first\n    handler: move\n    with: {to: '%s'}\n    batch: {max_items: 10}\n", to)
				k.killIn(t, e, server, from, files)
				for i := range files {
					content, err := os.ReadFile(filepath.Join(to, fmt.Sprintf("%03d", i)))
					if err != nil || string(content) != fmt.Sprintf("file %d", i) {
						t.Errorf("file %d arrived with %q, %v", i, content, err)
					}
				}
				if left, err := os.ReadDir(from); err != nil || len(left) > 0 {
					t.Errorf("%d files are left at the source, %v", len(left), err)
				}
				var well int
				testkit.Must(t, e.db.QueryRowContext(t.Context(),
					"SELECT COUNT(*) FROM results WHERE transfer_id = ? AND step_no = 1 AND outcome = 'succeeded'", e.id).Scan(&well))
				if well != files {
					t.Errorf("%d files count as moved, want %d", well, files)
				}
			})
		})
	}
	running.Wait()
}
