// Command baler registers files, processes them in batches, and shows what
// came of them. What it can do is listed by "baler help" and in docs/cli.md.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"

	"github.com/balerhq/baler"
)

// version is set by the linker: -ldflags '-X main.version=1.2.3'.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), baler.StopSignals()...)
	context.AfterFunc(ctx, stop) // after the first signal restore the default: the second one kills
	collectLess(os.Getenv)
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program. It returns the code to exit with.
func run(ctx context.Context, args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{env: env, stdin: stdin, stdout: &output{w: stdout}, stderr: newConsole(stderr)}
	root := p.rootCommand()                   //nolint:contextcheck // commands get theirs from ExecuteContextC
	root.SetArgs(append([]string{}, args...)) // nil would have cobra look at os.Args
	root.SetIn(stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	p.json = p.json || slices.Contains(args, "--json") // flags behind one that is wrong are not read
	return p.exit(ctx, cmd, err)
}

// collectLess lets the heap grow to four times what is in use before the garbage
// collector runs: what is in use is small, and collecting took a tenth of the
// time of a busy worker. Where more is in use it runs as often as it must to
// stay below memoryMost. GOGC and GOMEMLIMIT take precedence.
func collectLess(getenv func(string) string) {
	if getenv("GOGC") == "" && getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(300)
		debug.SetMemoryLimit(memoryMost)
	}
}

// memoryMost is what the collector aims to stay below: most of the 512 MiB that
// a process may take at any size of transfer.
const memoryMost = 384 << 20
