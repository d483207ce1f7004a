package crashtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// TestKilledWhileWatching kills a watch between all that it does with an entry. Afterwards
// another goes on: each file has one transfer, with all its results, and was moved once.
func TestKilledWhileWatching(t *testing.T) {
	t.Parallel()
	const files = 6
	slots := make(chan struct{}, 8) // cases mostly wait, so many run at once
	var running sync.WaitGroup
	for _, each := range []string{"file", "folder"} {
		for _, fault := range []failpoint.Name{
			failpoint.WatchBegun, failpoint.FilesInserted, failpoint.FilesRegistered, failpoint.Sealed, failpoint.WatchSubmitted,
			failpoint.WatchMoving, failpoint.WatchMoved,
		} {
			if each == "folder" && fault != failpoint.Sealed && fault != failpoint.WatchMoving {
				continue // as for files
			}
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				t.Run(each+" "+string(fault), func(t *testing.T) {
					e := newEnv(t, testkit.Redis(t), testkit.MySQL(t))
					in, done := filepath.Join(e.movable, "in"), filepath.Join(e.movable, "done")
					for i := range files {
						testkit.WriteFile(t, filepath.Join(in, strconv.Itoa(i), "file"), fmt.Sprintf("file %d", i))
					}
					args := []string{"watch", in, "--recipe", "checksum", "--settle", "10ms", "--done", done, "--each", each}
					w := e.worker("w", "")
					e.start("killed", fmt.Sprintf("kill@%s:3", fault), args...).awaitKilled()
					// What a process leaves behind becomes free with time.
					for _, query := range []string{
						"DELETE FROM leases WHERE name LIKE 'watch %'", "UPDATE transfers SET seen_at = seen_at - INTERVAL 5 MINUTE WHERE state = 'open'",
					} {
						_, err := e.db.ExecContext(t.Context(), query)
						testkit.Must(t, err)
					}
					next := e.start("next", "", args...)
					testkit.Eventually(t, patience, func() error {
						for i := range files {
							content, err := os.ReadFile(filepath.Join(done, strconv.Itoa(i), "file"))
							if err != nil || string(content) != fmt.Sprintf("file %d", i) {
								return fmt.Errorf("file %d: %q, %w; the log:\n%s", i, content, err, next.logText())
							}
						}
						return nil
					})
					testkit.Eventually(t, patience, func() error {
						if n := e.count("SELECT COUNT(*) FROM watched_items"); n > 0 {
							return fmt.Errorf("%d entries are not forgotten", n)
						}
						return nil
					})
					next.finish()
					w.finish()
					for query, want := range map[string]int{
						"SELECT COUNT(*) FROM transfers":                              files,
						"SELECT COUNT(*) FROM transfers WHERE state = 'completed'":    files,
						"SELECT COUNT(*) FROM results WHERE outcome = 'succeeded'":    files,
						"SELECT COUNT(*) FROM files":                                  files,
						"SELECT COUNT(DISTINCT sources) FROM transfers":               files,
						"SELECT COUNT(*) FROM leases WHERE name LIKE 'watch %'":       0,
						"SELECT COUNT(*) FROM watches WHERE submitted + waiting >= 0": 1,
					} {
						if n := e.count(query); n != want {
							t.Errorf("%s: %d, want %d", query, n, want)
						}
					}
					left := errors.New("none")
					_ = filepath.WalkDir(in, func(path string, d os.DirEntry, err error) error {
						if err == nil && !d.IsDir() {
							left = fmt.Errorf("%s is left", path)
						}
						return err
					})
					if !strings.Contains(left.Error(), "none") {
						t.Error(left)
					}
				})
			})
		}
	}
	running.Wait()
}

func (e *env) count(query string) (n int) {
	e.t.Helper()
	testkit.Must(e.t, e.db.QueryRowContext(e.t.Context(), query).Scan(&n))
	return n
}
