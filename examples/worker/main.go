// Worker is a complete program with its own handler: "worker worker" processes
// batches until SIGTERM or SIGINT, "worker run DIR" does everything in one process.
// The program has every other command of baler, too.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/balerhq/baler/cli"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
)

func main() {
	registry := builtin.Registry()
	if err := registry.Register("count-bytes", handlers.PerFile(countBytes)); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	cli.Main(registry)
}

// countBytes reads a file and records its length as the fact "bytes".
func countBytes(_ context.Context, job *handlers.Job) error {
	f, err := job.Open()
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(io.Discard, f)
	if err != nil {
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	return job.SetFact("bytes", n)
}
