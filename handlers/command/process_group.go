//go:build unix

package command

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// terminate asks the whole group to end.
func (c *child) terminate() { c.signal(syscall.SIGTERM) }

// kill ends the whole group.
func (c *child) kill() { c.signal(syscall.SIGKILL) }

func (c *child) signal(s syscall.Signal) {
	// The only possible error says that the group has no process left.
	_ = syscall.Kill(-c.cmd.Process.Pid, s)
}

// killedBy returns the signal that ended a process: its name, such as "KILL", and its
// number. A signal without a name is named by its number.
func killedBy(end *os.ProcessState) (name string, number int, ok bool) {
	status, ok := end.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return "", 0, false
	}
	s := status.Signal()
	name = strings.TrimPrefix(unix.SignalName(s), "SIG")
	return cmp.Or(name, strconv.Itoa(int(s))), int(s), true
}
