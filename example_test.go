package baler_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/recipe"
)

// countLines is a handler of one's own: it learns how many lines a file has.
func countLines(_ context.Context, job *handlers.Job) error {
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	lines := 0
	s := bufio.NewScanner(f)
	for s.Scan() {
		lines++
	}
	if err := s.Err(); err != nil { // a line that is too long, or an error of the storage
		return handlers.Fail("unreadable", err)
	}
	if lines == 0 {
		return handlers.Fail("empty", errors.New("there is no line in it"))
	}
	return job.SetFact("lines", lines)
}

// A worker with a handler of its own, and a run of it in this process, with no
// server: the queue is embedded, the database a file.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	poem, void := filepath.Join(dir, "poem.txt"), filepath.Join(dir, "void.txt")
	if err := errors.Join(os.WriteFile(poem, []byte("one\ntwo\n"), 0o600), os.WriteFile(void, nil, 0o600)); err != nil {
		panic(err)
	}

	registry := builtin.Registry()
	err = registry.Register("count-lines", handlers.PerFile(countLines, handlers.Parallel(4)))
	if err != nil {
		panic(err)
	}
	counted, err := recipe.Parse("lines.yaml", []byte("name: lines\nsteps: [{handler: count-lines}]"))
	if err != nil {
		panic(err)
	}
	cfg, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + filepath.Join(dir, "state")}})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	b, err := baler.Open(ctx, cfg, baler.Options{Registry: registry})
	if err != nil {
		panic(err)
	}
	defer b.Close()

	ran, err := b.Run(ctx, baler.Submission{Paths: []string{poem, void}, Recipe: counted})
	if err != nil {
		panic(err)
	}
	for line, err := range b.Results(ctx, ran.Transfer, baler.ResultFilter{}) {
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %s %s %q\n", filepath.Base(line.Path), line.Outcome, line.Facts, line.Error)
	}
	fmt.Println(ran.Transfer.State, ran.Transfer.Finished)
	// Output:
	// poem.txt: succeeded {"lines":2} ""
	// void.txt: failed {} "there is no line in it"
	// completed 2
}
