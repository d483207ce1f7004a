package testkit

import (
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/goleak"
)

// leakTimeout is how long goroutines may take to end after the tests. A connection
// pool that could not dial sleeps for a second before it checks whether it is closed.
const leakTimeout = 30 * time.Second

// Main runs a package's tests from its TestMain, stops the servers that they
// started, and fails the package when goroutines remain. The options say what
// goleak ignores.
func Main(m interface{ Run() int }, opts ...goleak.Option) {
	os.Exit(run(m, os.Stderr, leakTimeout, opts...)) // the main function of a test binary is its TestMain
}

func run(m interface{ Run() int }, stderr io.Writer, timeout time.Duration, opts ...goleak.Option) int {
	code := m.Run()
	if err := shared.close(); err != nil {
		_, _ = fmt.Fprintf(stderr, "testkit: stop the servers: %v\n", err) // nothing can be done about a failed write
		code = max(code, 1)
	}
	if code != 0 {
		return code // a failed test often leaves goroutines behind; its own error is enough
	}
	if err := findLeaks(timeout, opts...); err != nil {
		_, _ = fmt.Fprintf(stderr, "testkit: goroutines remain after the tests: %v\n", err) // as above
		return 1
	}
	return 0
}

// findLeaks returns an error that lists the goroutines which remain after the
// timeout. goleak by itself waits for half a second, which is too short on a busy
// machine.
func findLeaks(timeout time.Duration, opts ...goleak.Option) error {
	opts = append(opts, proxyLeaks()...)
	for begun := time.Now(); ; {
		err := goleak.Find(opts...)
		if err == nil || time.Since(begun) > timeout {
			return err
		}
	}
}
