//go:build unix

package cli

import (
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// A person changes the log level of a worker by the command, through the server, and by a signal.
func TestLogLevelWhileAWorkerRuns(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	stderr := &buffer{}
	cmd := exec.CommandContext(t.Context(), binary(t), "worker", "--admin-listen", "off")
	cmd.Env, cmd.Stderr = append(slices.Clone(s.env), "BALER_WORKER_NAME=chatty"), stderr
	testkit.Must(t, cmd.Start())
	logs := func(text string) {
		t.Helper()
		testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), text) })
	}
	logs("worker started")
	equal(t, "told", s.must(exitOK, "workers", "log", "chatty", "debug").stdout, "Worker chatty will log with level debug.\n")
	logs(`msg="log level changed" level=debug`)
	url := s.served()
	equal(t, "told by the server", s.must(exitOK, "workers", "log", "chatty", "warn", "--server", url).stdout,
		"Worker chatty will log with level warn.\n")
	logs(`msg="log level changed" level=warn`)
	testkit.Must(t, cmd.Process.Signal(syscall.SIGUSR1)) // any level of its own: back to the settings
	logs(`msg="log level changed" level=configured`)
	for _, more := range [][]string{nil, {"--server", url}} {
		contains(t, "no level", s.must(exitUsage, append([]string{"workers", "log", "chatty", "loud"}, more...)...).stderr, `"loud" is no log level`)
		contains(t, "no worker", s.must(exitError, append([]string{"workers", "log", "nobody", "debug"}, more...)...).stderr, "no such worker: nobody")
	}
	testkit.Must(t, cmd.Process.Signal(syscall.SIGTERM))
	testkit.Must(t, cmd.Wait())
}
