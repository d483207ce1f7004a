package command

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// child is a started process that leads a group. Until it is reaped, no other process
// can get its number, so signals to the group reach no other process.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended; it is still to be reaped
}

func startChild(cmd *exec.Cmd) (*child, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c := &child{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The system takes the end of the thread that started a process for the
		// death of its parent: this one stays until the process has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			awaitEnd(cmd.Process.Pid)
			close(c.ended)
		}
	}()
	return c, <-started
}

// awaitEnd returns when a process has ended, and leaves it to be reaped.
func awaitEnd(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return // nil, or another goroutine has reaped it; it has ended in both cases
		}
	}
}

// reap kills what is left of the group and takes the end of the process.
func (c *child) reap() error {
	c.kill()
	return c.cmd.Wait()
}
