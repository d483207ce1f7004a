package handlers_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/handlers/handlertest"
)

// A handler that counts lines, and fails files in which there are none.
func ExamplePerFile() {
	lines := handlers.PerFile(func(_ context.Context, job *handlers.Job) error {
		f, err := job.Open()
		if err != nil {
			return err
		}
		defer f.Close()
		n := 0
		s := bufio.NewScanner(f)
		for s.Scan() {
			n++
		}
		if err := s.Err(); err != nil { // a line that is too long, or an error of the storage
			return handlers.Fail("unreadable", err)
		}
		if n == 0 {
			return handlers.Fail("empty", errors.New("there is no line in it"))
		}
		return job.SetFact("lines", n)
	}, handlers.Parallel(4))

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	poem, void := filepath.Join(dir, "poem.txt"), filepath.Join(dir, "void.txt")
	if err := errors.Join(os.WriteFile(poem, []byte("one\ntwo\n"), 0o600), os.WriteFile(void, nil, 0o600)); err != nil {
		fmt.Println(err)
		return
	}
	results, err := handlertest.DryRun{}.Run(context.Background(), lines, poem, void)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range results {
		fmt.Printf("%d %s %q %s %q\n", r.File, r.Outcome, r.Code, r.Facts, r.Error)
	}
	// Output:
	// 1 succeeded "" {"lines":2} ""
	// 2 failed "empty"  "there is no line in it"
}

// A handler that wants to see the whole batch: it ends each file itself.
func ExampleHandlerFunc() {
	h := handlers.HandlerFunc(func(ctx context.Context, jobs []*handlers.Job) error {
		fmt.Println("a batch of", len(jobs))
		for _, job := range jobs {
			if err := ctx.Err(); err != nil {
				return err
			}
			job.Start()
			fmt.Fprintln(job.Output(), "looked at file", job.File().No)
			job.Done()
		}
		return nil
	})
	results, err := handlertest.DryRun{}.Run(context.Background(), h, "/some/where/a", "/some/where/b")
	fmt.Print(results[0].Output, results[1].Output, err)
	// Output:
	// a batch of 2
	// looked at file 1
	// looked at file 2
	// <nil>
}

func ExampleRegistry() {
	registry := builtin.Registry()
	err := registry.Register("settle", handlers.PerFile(func(context.Context, *handlers.Job) error { return nil }),
		handlers.WithDescription("does nothing, alone on the machine, within a minute"),
		handlers.WithSlots(handlers.AllSlots),
		handlers.WithTimeout(time.Minute))
	fmt.Println(registry.Names(), err)
	// Output: [characterize checksum coprocess copy exec extension extract identify move noop sanitize-names settle thumbnail validate verify virus-scan] <nil>
}
