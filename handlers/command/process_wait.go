//go:build !linux

package command

import "os/exec"

// child is a started process that leads a group, where there are groups.
type child struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
	err   error         // of waiting; set by then
}

func startChild(cmd *exec.Cmd) (*child, error) {
	leadGroup(cmd)
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

// reap kills what is left of the group. The process has been waited for already, so in
// theory its number may belong to a new group by now.
func (c *child) reap() error {
	c.kill()
	return c.err
}
