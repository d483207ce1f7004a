package testservers

import "syscall"

// attributes keep a terminal's Ctrl-C from the child, which its owner stops in
// its own time, and end the child with its owner.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
