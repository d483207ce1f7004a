//go:build !unix

package handlers

import (
	"os"
	"os/exec"
)

// child is a started process. This system has no groups that a signal could go
// to: what the process starts is left alone.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
	err   error         // of waiting; set by then
}

func startChild(cmd *exec.Cmd) (*child, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, ended: make(chan struct{})}
	go func() {
		c.err = cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// terminate does what there is to do: there is no asking.
func (c *child) terminate() { c.kill() }

func (c *child) kill() {
	_ = c.cmd.Process.Kill() // it fails only when the process has ended
}

func (c *child) reap() error { return c.err }

func killedBy(*os.ProcessState) (name string, number int, ok bool) { return "", 0, false }
