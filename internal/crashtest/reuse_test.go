package crashtest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// reusing is a first step that takes results over.
const reusing = "  - name: first\n    handler: checksum\n    with: {algorithms: [md5]}\n    reuse: unchanged\n    batch: {max_items: 25}\n"

// TestKilledWhileReusing kills a worker in a transfer in which most files take over the results of
// an earlier one. Each file has one result, what is counted as reused is what has been reused,
// and new files are never counted.
func TestKilledWhileReusing(t *testing.T) {
	t.Parallel()
	const old, files = 200, 250
	var running sync.WaitGroup
	for _, k := range []crashCase{
		{victim: worker, point: failpoint.HandlerHalfway, passing: 5}, {victim: worker, point: failpoint.BatchClosed, passing: 3},
		{victim: frozen, point: failpoint.HandlerHalfway, passing: 30},
	} {
		k.via, k.by, k.first = "bulk", byWorker, reusing
		running.Go(func() {
			t.Run(fmt.Sprintf("%s, passing %d", k, k.passing), func(t *testing.T) {
				e, server := k.setUp(t)
				write := func(from, to int) {
					for i := from; i < to; i++ {
						testkit.WriteFile(t, fmt.Sprintf("%s/%03d", e.movable, i), fmt.Sprintf("file %d", i))
					}
				}
				write(0, old)
				if p := e.submit("", k.via, e.recipe("recipe", reusing), e.movable); p.wait() != nil {
					t.Fatalf("submit: the log:\n%s", p.logText())
				}
				e.findTransfer()
				w := e.worker("first", "")
				e.awaitCompleted()
				w.finish()
				earlier := e.transfer
				e.processes = nil // what follows looks at the logs of the second transfer
				write(old, files)
				k.killIn(t, e, server, e.movable, files)
				e.auditReused(earlier, old)
			})
		})
	}
	running.Wait()
}

// auditReused checks that the results of the files up to a number, and no others, were taken over
// from an earlier transfer, or made again by a worker that continued after another had died, and
// that the count says how many.
func (e *env) auditReused(earlier string, old int64) {
	e.t.Helper()
	var rows, foreign, late, counted int64
	err := e.db.QueryRowContext(e.t.Context(), `SELECT COUNT(*), COALESCE(SUM(reused_from <> ?), 0), COALESCE(SUM(file_no > ?), 0),
		(SELECT reused FROM steps WHERE transfer_id = ? AND no = 1)
		FROM results WHERE transfer_id = ? AND step_no = 1 AND reused_from IS NOT NULL`, earlier, old, e.id, e.id).
		Scan(&rows, &foreign, &late, &counted)
	testkit.Must(e.t, err)
	if rows != counted || foreign != 0 || late != 0 || rows > old || rows < old-2*25 {
		e.t.Errorf("%d results are reused, %d of others, %d of new files; %d are counted; want about %d", rows, foreign, late, counted, old)
	}
}
