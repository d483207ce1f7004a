package testservers

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// Process is a child process. On Linux it dies with its parent.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when the child has been waited for
	err   error         // of Wait; read it after ended is closed
}

// launch starts a server and appends its output to the log file.
func launch(log, binary string, args ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open server log: %w", err)
	}
	defer out.Close()                    // the child has its own descriptor
	cmd := exec.Command(binary, args...) //nolint:noctx // Kill ends it, not a context
	cmd.Stdout, cmd.Stderr = out, out
	return Launch(cmd)
}

// Launch starts a child process. A terminal's Ctrl-C does not reach it on Unix, and
// on Linux the kernel kills it when its parent dies. The caller must end it.
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

// run keeps its thread for the child's whole life, because the kernel sends the
// death signal when the thread that started the child ends.
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

// PID is the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the child has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err waits for the end of the child and returns the error of exec.Cmd.Wait.
func (p *Process) Err() error {
	<-p.ended
	return p.err
}

// Signal sends a signal to the child. It cannot reach another process: the process
// ID is not reused before Wait, and afterwards os.Process refuses.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal process %d: %w", p.cmd.Process.Pid, err)
	}
	return nil
}

// Kill kills the child and waits for its end. A second Kill does nothing.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended already
	<-p.ended
}
