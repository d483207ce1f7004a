//go:build unix && !linux

package testservers

import "syscall"

// attributes keep a terminal's Ctrl-C from the child, which its owner stops in
// its own time.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
