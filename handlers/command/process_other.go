//go:build !unix

package command

import (
	"os"
	"os/exec"
)

// leadGroup does nothing. This system has no groups that a signal could go to:
// what the process starts is left alone.
func leadGroup(*exec.Cmd) {}

// terminate does what there is to do: there is no asking.
func (c *child) terminate() { c.kill() }

func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it fails only when the process has ended
}

func killedBy(*os.ProcessState) (name string, number int, ok bool) { return "", 0, false }
