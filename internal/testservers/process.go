package testservers

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// Process is one running child that does not outlive its owner.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the child has been waited for
	err   error         // how it ended; read after ended
}

// launch starts a server whose output goes to the end of the log file.
func launch(log, binary string, args ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open server log: %w", err)
	}
	defer out.Close()                    // the child has its own descriptor
	cmd := exec.Command(binary, args...) //nolint:noctx // it outlives every context: Kill ends it
	cmd.Stdout, cmd.Stderr = out, out
	return Launch(cmd)
}

// Launch starts a child. A terminal's Ctrl-C does not reach it, and on Linux the
// kernel ends it with its owner: it is the owner who stops it.
func Launch(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = attributes()
	p := &Process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// run holds on to one thread for the child's whole life: the kernel's "parent
// died" means the thread that started the child, not the process.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// PID is the child's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the child has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err tells how the child ended, as exec.Cmd.Wait does. It waits for that.
func (p *Process) Err() error {
	<-p.ended
	return p.err
}

// Signal reaches this child and no other: until it has been waited for its
// number cannot be given away, and afterwards os.Process refuses.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal process %d: %w", p.cmd.Process.Pid, err)
	}
	return nil
}

// Kill ends the child and returns when it is gone. Killing twice is fine.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended already
	<-p.ended
}
