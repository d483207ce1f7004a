//go:build !unix

package command

import (
	"os"
	"os/exec"
)

// leadGroup does nothing. This system has no process groups: the children of the
// process keep running.
func leadGroup(*exec.Cmd) {}

// terminate kills the process: this system has no signal that asks it to end.
func (c *child) terminate() { c.kill() }

func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it fails only when the process has ended
}

func killedBy(*os.ProcessState) (name string, number int, ok bool) { return "", 0, false }
