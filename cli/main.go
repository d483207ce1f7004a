// Package cli is the command line of Baler, for the program baler and for programs with
// handlers of their own. Such a program only registers its handlers and calls Main:
//
//	func main() {
//		registry := builtin.Registry()
//		registry.Register("shout", handlers.PerFile(shout))
//		cli.Main(registry)
//	}
//
// The program then has every command of baler: "mine run DIR", "mine worker
// --concurrency 1". They are listed by "mine help" and in docs/cli.md.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/handlers"
)

// version is set by the linker: -ldflags '-X github.com/balerhq/baler/cli.version=1.2.3'.
var version = "dev"

// sameSignal is how long after a signal another one counts as the same: a terminal, a
// supervisor or timeout(1) may send it to the process and to its group.
const sameSignal = time.Second

// Main runs the command of the process's arguments with these handlers, and exits with the
// code of the command. With a nil registry there is only the handler load.
func Main(registry *handlers.Registry) {
	ctx, stop := signal.NotifyContext(context.Background(), baler.StopSignals()...)
	context.AfterFunc(ctx, func() { time.AfterFunc(sameSignal, stop) }) // restores the default: a second signal kills
	redis.SetLogger(discard{})
	collectLess(os.Getenv)
	p := &program{name: nameOf(os.Args), registry: registry.Clone(), env: os.Environ()}
	os.Exit(p.execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// nameOf returns the name by which the program was called.
func nameOf(args []string) string {
	if len(args) == 0 || args[0] == "" {
		return "baler"
	}
	return strings.TrimSuffix(filepath.Base(args[0]), ".exe")
}

// execute runs one command. It returns the code to exit with.
func (p *program) execute(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p.stdin, p.stdout, p.stderr = stdin, &output{w: stdout}, newConsole(stderr)
	root := p.rootCommand()                   //nolint:contextcheck // commands get their context from ExecuteContextC
	root.SetArgs(append([]string{}, args...)) // for nil, cobra would read os.Args
	root.SetIn(stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	p.addGenerated(root)
	cmd, err := root.ExecuteContextC(ctx)
	p.json = p.json || slices.Contains(args, "--json") // cobra does not read the flags after an invalid one
	return p.exit(ctx, cmd, err)
}

// discard receives the lines that the Redis client would print on standard error: the
// client also returns these errors, and Baler reports them.
type discard struct{}

func (discard) Printf(context.Context, string, ...any) {}
