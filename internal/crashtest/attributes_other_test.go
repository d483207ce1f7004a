//go:build !linux

package crashtest

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }
