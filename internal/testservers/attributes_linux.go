package testservers

import "syscall"

// attributes put the child into a process group of its own, so that a terminal's
// Ctrl-C does not reach it, and make the kernel kill it when its parent dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
