package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// command runs one command to its end and returns its exit code. The command has a process
// group of its own, and signals are passed on to the whole group: `go test` would leave its
// test binaries behind if only it was killed. A process outside the terminal's foreground
// group cannot read from the terminal, so the command has no standard input.
func command(signals <-chan os.Signal, args, env []string, stdout, stderr io.Writer) (int, error) {
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // signals end it, and the whole group with it
	cmd.Env, cmd.Stdout, cmd.Stderr = env, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the command: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if number, ok := s.(syscall.Signal); ok {
				_ = syscall.Kill(-cmd.Process.Pid, number) // fails only when the whole group has ended
			}
		case err := <-ended:
			return exitCode(cmd.ProcessState, err)
		}
	}
}

// exitCode returns the exit code as a shell does: 128 and the signal's number when a
// signal ended the command.
func exitCode(state *os.ProcessState, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("run the command: %w", err)
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return state.ExitCode(), nil
}
