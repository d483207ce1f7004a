//go:build unix && !linux

package command

import (
	"os/exec"
	"syscall"
)

// leadGroup has the process lead a group of its own.
func leadGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
