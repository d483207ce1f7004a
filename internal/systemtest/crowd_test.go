package systemtest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Three workers process three transfers, by group and by bulk, at once. Each worker runs
// some batches, and every count is exact.
func TestWorkersShareTransfers(t *testing.T) {
	t.Parallel()
	c := servers(t)
	const files = 600
	// The first batches wait for each other: none ends before every worker has one.
	var together sync.WaitGroup
	together.Add(3)
	var workers []*baler.Baler
	for i := range 3 {
		c.Worker.Name = fmt.Sprintf("worker-%d", i)
		c.Worker.Concurrency = 2
		var once sync.Once
		b := open(t, c, register(t, "meet", func(context.Context, *handlers.Job) error {
			once.Do(together.Done)
			together.Wait()
			return nil
		}))
		work(t, b)
		workers = append(workers, b)
	}
	r := yaml(t, "name: t\nsteps: [{handler: meet, batch: {max_items: 20}}, {handler: checksum}, {handler: noop, when: 'size > 6'}]")
	root := testkit.NumberedTree(t, files)
	var ended sync.WaitGroup
	for i, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup, tasks.ViaBulk} {
		ended.Go(func() {
			tr, _, err := workers[i].Submit(t.Context(), baler.Submission{Paths: []string{root}, Recipe: r, Via: via})
			if err != nil {
				t.Error(err)
				return
			}
			tr, err = workers[i].Wait(t.Context(), tr.UUID, nil)
			if err != nil {
				t.Error(err)
				return
			}
			shares := make(map[string]int)
			for _, l := range audit(t, workers[i], tr) {
				shares[l.Worker]++
			}
			if tr.Files != files || tr.Totals().Succeeded != tr.Totals().Total() {
				t.Errorf("%s: %d files, counted %+v", via, tr.Files, tr.Totals())
			}
			t.Logf("%s: %v", via, shares)
		})
	}
	ended.Wait()
	seen := make(map[string]bool)
	all, err := workers[0].Transfers(t.Context(), 0, 10)
	testkit.Must(t, err)
	for _, tr := range all {
		for l, err := range workers[0].Results(t.Context(), tr, baler.ResultFilter{Step: "meet"}) {
			testkit.Must(t, err)
			seen[l.Worker] = true
		}
	}
	if got := slices.Sorted(maps.Keys(seen)); len(got) != 3 {
		t.Errorf("only %v ran batches", got)
	}
}

// A worker that stops during a transfer loses nothing: its running batches finish, or are
// released for the others.
func TestWorkersComeAndGo(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 500
		c.Worker.Grace = 100 * time.Millisecond
		gates := make(chan struct{}, files)
		b := open(t, c, register(t, "gated", func(ctx context.Context, _ *handlers.Job) error {
			select {
			case <-gates:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}))
		tr := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk,
			Recipe: yaml(t, "name: t\nsteps: [{handler: gated, batch: {max_items: 25}, retry: {attempts: 1}}]"),
		})
		for range 3 {
			stop := work(t, b)
			for range files / 5 {
				gates <- struct{}{}
			}
			eventually(t, func() error {
				if n := len(gates); n > 0 {
					return fmt.Errorf("%d files are left", n)
				}
				return nil
			})
			stop()
		}
		work(t, b)
		for range 2 * files {
			select {
			case gates <- struct{}{}:
			default:
			}
		}
		close(gates)
		tr = wait(t, b, tr.UUID)
		for _, l := range audit(t, b, tr) {
			if l.Outcome != tasks.OutcomeSucceeded || l.Attempt != 1 {
				t.Errorf("file %d: %s at attempt %d: %s", l.File, l.Outcome, l.Attempt, l.Error)
			}
		}
	})
}

func TestTwentyThousandFiles(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 20_000
		root := t.TempDir()
		for i := range files {
			dir := filepath.Join(root, fmt.Sprintf("%02d", i%50))
			if i < 50 {
				testkit.Must(t, os.Mkdir(dir, 0o700))
			}
			testkit.WriteFile(t, filepath.Join(dir, strconv.Itoa(i)), "")
		}
		b := open(t, c, nil)
		work(t, b)
		tr := wait(t, b, submit(t, b, baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "noop")}).UUID)
		if lines := audit(t, b, tr); tr.Files != files || len(lines) != files {
			t.Errorf("%d files, %d results", tr.Files, len(lines))
		}
	})
}
