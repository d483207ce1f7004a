// Command with-servers runs a command with a temporary Redis and MySQL:
//
//	with-servers go test ./...
//
// It starts both servers once, sets BALER_TEST_REDIS_URL and BALER_TEST_MYSQL_URL, runs the
// command, and stops the servers that it started, also when it is interrupted. If one of
// these variables is set already, the command uses that server. with-servers installs missing
// servers, and a browser, if this account may do so without a password. The exit code is the command's.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/balerhq/baler/internal/testservers"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		_, _ = fmt.Fprintln(stderr, "usage: with-servers COMMAND [ARGUMENT…]") // a failed write cannot be reported
		return exitUsage
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	code, err := withServers(signals, args, stdout, stderr)
	if err != nil {
		_, _ = fmt.Fprintf(stderr, "with-servers: %v\n", err) // as above
		return max(code, exitFailed)
	}
	return code
}

func withServers(signals <-chan os.Signal, args []string, stdout, stderr io.Writer) (code int, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := install(ctx, missing(os.Getenv), stderr); err != nil {
		return 0, err
	}
	installBrowser(ctx, stderr)
	started, err := startAll(ctx, signals, cancel)
	defer func() { err = errors.Join(err, started.close()) }()
	if err != nil {
		return 0, err
	}
	return command(signals, args, append(os.Environ(), started.environment()...), stdout, stderr)
}

// running has the servers that this process has started, by variable.
type running map[string]*testservers.Server

// startAll starts the servers that the environment does not name. A signal interrupts it.
func startAll(ctx context.Context, signals <-chan os.Signal, cancel context.CancelFunc) (running, error) {
	kinds := map[string]func(context.Context) (*testservers.Server, error){
		testservers.RedisVariable: func(ctx context.Context) (*testservers.Server, error) {
			return testservers.StartRedis(ctx, testservers.RedisOptions{})
		},
		testservers.MySQLVariable: func(ctx context.Context) (*testservers.Server, error) {
			return testservers.StartMySQLInMemory(ctx)
		},
	}
	type result struct {
		variable string
		server   *testservers.Server
		err      error
	}
	results := make(chan result)
	pending := 0
	for variable, start := range kinds {
		if os.Getenv(variable) != "" {
			continue
		}
		pending++
		go func() {
			s, err := start(ctx)
			results <- result{variable, s, err}
		}()
	}
	started := running{}
	var errs []error
	for pending > 0 {
		select {
		case r := <-results:
			pending--
			if r.err != nil {
				errs = append(errs, r.err)
				continue
			}
			started[r.variable] = r.server
		case s := <-signals:
			errs = append(errs, fmt.Errorf("%v while starting the servers", s))
			cancel()
		}
	}
	return started, errors.Join(errs...)
}

func (r running) environment() []string {
	var env []string
	for variable, s := range r {
		env = append(env, variable+"="+s.URL())
	}
	return env
}

func (r running) close() error {
	var errs []error
	for _, s := range r {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
