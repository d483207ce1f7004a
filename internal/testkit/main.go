package testkit

import (
	"fmt"
	"io"
	"os"

	"go.uber.org/goleak"
)

// Main runs a package's tests from its TestMain, stops the servers that they
// started, and fails the package when goroutines are left over. The options tell
// goleak what to ignore.
func Main(m interface{ Run() int }, opts ...goleak.Option) {
	os.Exit(run(m, os.Stderr, opts...)) // the main function of a test binary is its TestMain
}

func run(m interface{ Run() int }, stderr io.Writer, opts ...goleak.Option) int {
	code := m.Run()
	if err := shared.close(); err != nil {
		_, _ = fmt.Fprintf(stderr, "testkit: stop the servers: %v\n", err) // nowhere to say that it failed
		code = max(code, 1)
	}
	if code != 0 {
		return code // a failed test may well leave goroutines behind: one complaint is enough
	}
	if err := goleak.Find(opts...); err != nil {
		_, _ = fmt.Fprintf(stderr, "testkit: goroutines are left after the tests: %v\n", err) // as above
		return 1
	}
	return 0
}
