package crashtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

// overObjects makes an environment with the embedded queue, whose processes read and write a
// bucket.
func overObjects(t *testing.T) (*env, *storagetest.S3) {
	t.Helper()
	e, server := newEnv(t, testkit.Redis(t), testkit.MySQL(t)), storagetest.New(t)
	e.redisURL = "embedded"
	e.more = append(server.Environment(), "BALER_OUTPUTS="+e.outputs()+":s3://films/members", "BALER_ROOTS="+e.dir+":s3://films")
	return e, server
}

// TestRunKilledOverObjects kills `baler run` while it extracts archives of a bucket into the
// bucket, also between two requests of one member, and runs it again. Each member is an object
// once, with its content, and a file of the transfer once.
func TestRunKilledOverObjects(t *testing.T) {
	t.Parallel()
	root, files := archives(t, 4)
	for _, fault := range []string{"put:23", "after put:30", "kill@batch-closed:1"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e, server := overObjects(t)
			for i := range 4 {
				content, err := os.ReadFile(filepath.Join(root, fmt.Sprintf("%02d.zip", i)))
				testkit.Must(t, err)
				server.Put(fmt.Sprintf("p/%02d.zip", i), string(content))
			}
			e.more = append(e.more, "BALER_WORKER_CONCURRENCY=1")
			recipe := e.recipe("recipe", strings.ReplaceAll(unpack, "OUTPUTS/members", "s3://films/members"))
			process, killing := fault, strings.HasPrefix(fault, "kill")
			if !killing {
				process = ""
			}
			var victim atomic.Pointer[os.Process]
			var puts atomic.Int64
			server.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
				var n int64
				if r.Method == http.MethodPut {
					n = puts.Add(1)
				}
				if fault == fmt.Sprintf("put:%d", n) || fault == "after put:30" && puts.Load() == 30 && n == 0 {
					_ = victim.Load().Kill()
					return true
				}
				return false
			})
			first := e.start("run", process, "run", "--json", "--recipe", recipe, "s3://films/p")
			victim.Store(first.cmd.Process)
			first.awaitKilled()
			server.Answer(nil)
			e.client("run", "--json", "--recipe", recipe, "s3://films/p")
			lines := e.client("status", "--json", "latest")
			var sum tasks.Summary
			testkit.Must(t, json.Unmarshal(lines[len(lines)-1], &sum))
			e.transfer = sum.Transfer
			e.auditClient(files)
			if sum.Emitted != files-4 {
				t.Errorf("%d files were emitted, want %d", sum.Emitted, files-4)
			}
			for i := range 4 {
				for name, want := range map[string]string{
					fmt.Sprintf("%02d.zip.contents/9", i):                    fmt.Sprintf("outer %d", i),
					fmt.Sprintf("%02d.zip.contents/inner.zip.contents/2", i): fmt.Sprintf("inner %d", i),
				} {
					if content, _ := server.Get("members/" + name); content != want {
						t.Errorf("%s has %q, want %q", name, content, want)
					}
				}
			}
		})
	}
}

// TestLoadKilledOverObjects kills `baler load` while it loads an object, and runs it again. Each
// line is in the table once, although the table has no key.
func TestLoadKilledOverObjects(t *testing.T) {
	t.Parallel()
	const lines = 5000
	var content strings.Builder
	for i := range lines {
		fmt.Fprintf(&content, "{\"n\":%d,\"pad\":\"%s\"}\n", i, strings.Repeat("x", i%90))
	}
	for _, fault := range []string{"kill@rows-inserted:3", "kill@section-loaded:3"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e, server := overObjects(t)
			server.Put("p/lines.jsonl", content.String())
			load := []string{"load", "--json", "s3://films/p", "--into", "numbers", "--create", "--map", "n:int", "--chunk", "32KiB"}
			e.start("load", fault, load...).awaitKilled()
			e.client(load...)
			e.auditLines(lines)
		})
	}
}
