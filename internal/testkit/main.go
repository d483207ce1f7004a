package testkit

import (
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/goleak"
)

// leavingTime is how long goroutines that are about to end may take for it. A pool
// that could not dial sleeps for a second before it asks whether it is closed.
const leavingTime = 30 * time.Second

// Main runs a package's tests from its TestMain, stops the servers that they
// started, and fails the package when goroutines are left over. The options tell
// goleak what to ignore.
func Main(m interface{ Run() int }, opts ...goleak.Option) {
	os.Exit(run(m, os.Stderr, leavingTime, opts...)) // the main function of a test binary is its TestMain
}

func run(m interface{ Run() int }, stderr io.Writer, patience time.Duration, opts ...goleak.Option) int {
	code := m.Run()
	if err := shared.close(); err != nil {
		_, _ = fmt.Fprintf(stderr, "testkit: stop the servers: %v\n", err) // nowhere to say that it failed
		code = max(code, 1)
	}
	if code != 0 {
		return code // a failed test may well leave goroutines behind: one complaint is enough
	}
	if err := left(patience, opts...); err != nil {
		_, _ = fmt.Fprintf(stderr, "testkit: goroutines are left after the tests: %v\n", err) // as above
		return 1
	}
	return 0
}

// left tells which goroutines stay. By itself goleak waits for half a second, in
// which a busy machine may not get round to those that are about to end.
func left(patience time.Duration, opts ...goleak.Option) error {
	opts = append(opts, ofProxies()...)
	for begun := time.Now(); ; {
		err := goleak.Find(opts...)
		if err == nil || time.Since(begun) > patience {
			return err
		}
	}
}
