package crashtest

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// unpack is a first step that emits files, which start at this step, too.
const unpack = "  - name: first\n    handler: extract\n    with: {to: 'OUTPUTS/members'}\n    batch: {max_items: 3}\n"

// archives makes n zip files, each with ten members and a zip file of three.
func archives(t *testing.T, n int) (root string, files int64) {
	t.Helper()
	root = t.TempDir()
	for i := range n {
		inner := zipOf(t, 3, fmt.Sprintf("inner %d", i), nil)
		testkit.Must(t, os.WriteFile(filepath.Join(root, fmt.Sprintf("%02d.zip", i)), zipOf(t, 10, fmt.Sprintf("outer %d", i), inner), 0o600))
	}
	return root, int64(n * (1 + 10 + 1 + 3))
}

func zipOf(t *testing.T, n int, content string, inner []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name string, content []byte) {
		to, err := w.Create(name)
		testkit.Must(t, err)
		_, err = to.Write(content)
		testkit.Must(t, err)
	}
	for i := range n {
		add(strconv.Itoa(i), []byte(content))
	}
	if inner != nil {
		add("inner.zip", inner)
	}
	testkit.Must(t, w.Close())
	return b.Bytes()
}

// emitCases has a case for each failpoint on the way of emitted files.
func emitCases() (all []crashCase) {
	for _, via := range []string{"bulk", "group"} {
		for _, v := range []victim{worker, frozen, emptied, database} {
			for _, at := range []struct {
				point   failpoint.Name
				passing int
			}{
				{failpoint.HandlerHalfway, 2}, {failpoint.BatchClosed, 1}, {failpoint.EmittedRegistered, 1}, {failpoint.EmittedRegistered, 2},
			} {
				all = append(all, crashCase{victim: v, point: at.point, passing: at.passing, via: via, by: byWorker, first: unpack})
			}
		}
	}
	return all
}

// TestKilledWhileEmitting is TestKilledAnywhere for files that a step emits, some of which
// emit files themselves. Each is a file of the transfer once.
func TestKilledWhileEmitting(t *testing.T) {
	t.Parallel()
	root, files := archives(t, 8)
	outcomes := newOutcomes(t)
	slots := make(chan struct{}, 8)
	var running sync.WaitGroup
	for _, k := range emitCases() {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			t.Run(fmt.Sprintf("%s, passing %d", k, k.passing), func(t *testing.T) {
				begun := time.Now()
				defer func() { outcomes.add(t, k, time.Since(begun)) }()
				k.killWorkerOrServer(t, root, files)
			})
		})
	}
	running.Wait()
	outcomes.print()
}

// TestRunKilledWhileEmitting kills `baler run`, with the embedded queue and database, and
// runs it again.
func TestRunKilledWhileEmitting(t *testing.T) {
	t.Parallel()
	root, files := archives(t, 8)
	for _, fault := range []string{
		"kill@handler-halfway:2", "kill@batch-closed:1", "kill@batch-closed:4", "kill@emitted-registered:1", "kill@emitted-registered:2",
		"kill@ledger-written:3", "kill@completed:1",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
			e.redisURL, e.mysqlURL = "embedded", "sqlite:"+filepath.Join(e.dir, "baler.db")
			recipe := e.recipe("recipe", unpack)
			e.start("run", fault, "run", "--json", "--recipe", recipe, root).awaitKilled()
			e.client("run", "--json", "--recipe", recipe, root)
			lines := e.client("status", "--json", "latest")
			var sum tasks.Summary
			testkit.Must(t, json.Unmarshal(lines[len(lines)-1], &sum))
			e.transfer = sum.Transfer
			e.auditClient(files)
			if sum.Emitted != files-8 {
				t.Errorf("%d files were emitted, want %d", sum.Emitted, files-8)
			}
		})
	}
}
