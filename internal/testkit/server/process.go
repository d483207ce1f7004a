package server

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is one running child.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the child has been waited for
	err   error         // how it ended; read after ended
}

// launch starts a child whose output goes to the end of the log file.
func launch(log, binary string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open server log: %w", err)
	}
	defer out.Close()                    // the child has its own descriptor
	cmd := exec.Command(binary, args...) //nolint:noctx // it outlives every context: kill ends it
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = attributes()

	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	return p, nil
}

// run holds on to one thread for the child's whole life: the kernel's "parent
// died" means the thread that started the child, not the process.
func (p *process) run(started chan<- error) {
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

// signal reaches this child and no other: until it has been waited for its
// number cannot be given away, and afterwards os.Process refuses.
func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal process %d: %w", p.cmd.Process.Pid, err)
	}
	return nil
}

// kill ends the child and returns when it is gone. Killing twice is fine.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended already
	<-p.ended
}
