//go:build !unix

package servers

import "syscall"

// attributes are none where there are no process groups: a terminal's Ctrl-C
// reaches the child too.
func attributes() *syscall.SysProcAttr { return nil }
