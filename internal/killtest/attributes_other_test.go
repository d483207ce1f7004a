//go:build !linux

package killtest

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }
