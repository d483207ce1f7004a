//go:build !unix

package testservers

import "syscall"

// attributes are none where there are no process groups: a terminal's Ctrl-C
// reaches the child too.
func attributes() *syscall.SysProcAttr { return nil }
