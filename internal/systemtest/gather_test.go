package systemtest

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// batchSizes registers a handler that records the size of each batch. It fails the first
// attempt of files for which fails is true.
type batchSizes struct {
	mu       sync.Mutex
	sizes    []int
	attempts map[int64]int
	fails    func(path string) bool
}

func (s *batchSizes) registry(t *testing.T) *handlers.Registry {
	t.Helper()
	s.attempts = make(map[int64]int)
	reg := builtin.Registry()
	testkit.Must(t, reg.Register("sizes", handlers.HandlerFunc(func(_ context.Context, jobs []*handlers.Job) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sizes = append(s.sizes, len(jobs))
		for _, j := range jobs {
			s.attempts[j.File().No]++
			if s.fails != nil && s.fails(j.File().Path) && s.attempts[j.File().No] == 1 {
				j.Finish(handlers.RetryLater("first", context.DeadlineExceeded))
			}
		}
		return nil
	})))
	return reg
}

func (s *batchSizes) batches() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sizes)
}

// eachWay runs a test with one slot, so that no batch is divided among several.
func eachWay(t *testing.T, test func(t *testing.T, c config.Config, via tasks.Via)) {
	for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
		t.Run(string(via), func(t *testing.T) {
			onEach(t, func(t *testing.T, c config.Config) {
				c.Worker.Concurrency = 1
				test(t, c, via)
			})
		})
	}
}

// One file in ten of each of a hundred batches continues with the next step. These files
// run in full batches, and the last of them do not wait, whatever the delay of the policy.
func TestFilesOfTheNextStepAreGatheredAcrossBatches(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, c config.Config, via tasks.Via) {
		var seen batchSizes
		b := open(t, c, seen.registry(t))
		work(t, b)
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 500)}, Via: via,
			Recipe: yaml(t, `name: t
steps:
  - {handler: noop, batch: {max_items: 5}}
  - {handler: sizes, when: 'path endsWith "7.txt"', batch: {max_items: 20, max_delay: 1h}}
`),
		})
		audit(t, b, wait(t, b, tr.UUID))
		if want := []int{20, 20, 10}; !slices.Equal(slices.Sorted(slices.Values(seen.sizes)), slices.Sorted(slices.Values(want))) {
			t.Errorf("batches of %v, want %v", seen.sizes, want)
		}
	})
}

// Files of a second attempt are gathered, too.
func TestRetriesAreGatheredAcrossBatches(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, c config.Config, via tasks.Via) {
		seen := batchSizes{fails: func(path string) bool { return path[len(path)-5] == '3' }}
		b := open(t, c, seen.registry(t))
		work(t, b)
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 300)}, Via: via,
			Recipe: yaml(t, `name: t
steps:
  - {handler: sizes, batch: {max_items: 30, max_delay: 1h}, retry: {attempts: 3, backoff: 1ms}}
`),
		})
		audit(t, b, wait(t, b, tr.UUID))
		var total, small int
		for _, n := range seen.sizes {
			total += n
			if n < 30 {
				small++
			}
		}
		if total != 330 || via == tasks.ViaBulk && (small > 0 || len(seen.sizes) != 11) {
			t.Errorf("batches of %v, want eleven of 30", seen.sizes)
		}
	})
}

// While a producer may register more files, files of the next step wait at most for the
// delay of their policy.
func TestFilesOfTheNextStepWaitForTheDelayAtMost(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Roots = testkit.Roots()
		var seen batchSizes
		b := open(t, c, seen.registry(t))
		work(t, b)
		list, write := io.Pipe()
		submitted := make(chan tasks.Transfer, 1)
		go func() {
			submitted <- submit(t, b, baler.Submission{List: list, Recipe: yaml(t, `name: t
steps: [{handler: noop}, {handler: sizes, batch: {max_items: 50, max_delay: 100ms}}]
`)})
		}()
		root := testkit.NumberedTree(t, 2)
		for i, name := range []string{"f00000.txt", "f00001.txt"} {
			_, err := io.WriteString(write, filepath.Join(root, "d000", name)+"\n")
			testkit.Must(t, err)
			testkit.Eventually(t, hung, func() error {
				if n := seen.batches(); n != i+1 {
					return fmt.Errorf("%d batches of the second step, want %d", n, i+1)
				}
				return nil
			})
		}
		testkit.Must(t, write.Close())
		audit(t, b, wait(t, b, (<-submitted).UUID))
	})
}

// The files of a retry command are read page by page, and run in full batches.
func TestFilesOfARetryAreGathered(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, c config.Config, via tasks.Via) {
		seen := batchSizes{fails: func(string) bool { return true }}
		b := open(t, c, seen.registry(t))
		stop := work(t, b)
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 1200)}, Via: via,
			Recipe: yaml(t, `name: t
steps:
  - {handler: sizes, batch: {max_items: 1000, max_delay: 1h}, retry: {attempts: 1}}
`),
		})
		audit(t, b, wait(t, b, tr.UUID))
		stop()
		seen.sizes = nil
		if n, err := b.Retry(t.Context(), tr, baler.ResultFilter{}); err != nil || n != 1200 {
			t.Fatalf("%d files run again, %v", n, err)
		}
		work(t, b)
		audit(t, b, wait(t, b, tr.UUID))
		if want := []int{200, 1000}; !slices.Equal(slices.Sorted(slices.Values(seen.sizes)), want) {
			t.Errorf("batches of %v, want %v", seen.sizes, want)
		}
	})
}
