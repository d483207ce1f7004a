//go:build !unix

package testservers

import "syscall"

// attributes are nil on systems without process groups, where a terminal's Ctrl-C
// also reaches the child.
func attributes() *syscall.SysProcAttr { return nil }
