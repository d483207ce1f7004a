package command

import (
	"io"
	"os"
	"time"
)

// Process is a program that was started and serves several jobs, one after another. It leads
// a process group, as with Run. The caller of Start must call End.
type Process struct {
	child *child
}

// Start starts the program and does not wait for it. An *os.File as a writer is handed over
// as it is. The error is a *StartError.
func (p Program) Start(stdout, stderr io.Writer) (*Process, error) {
	c, err := p.start(&input{Reader: p.Stdin}, stdout, stderr)
	if err != nil {
		return nil, err
	}
	return &Process{c}, nil
}

// Ended is closed when the program itself has ended.
func (p *Process) Ended() <-chan struct{} { return p.child.ended }

// End waits up to grace for the program to end by itself, kills what is left of its group,
// and returns how it ended.
func (p *Process) End(grace time.Duration) (*os.ProcessState, error) {
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.child.ended:
	case <-t.C:
		p.child.kill()
		<-p.child.ended
	}
	err := p.child.reap()
	if end := p.child.cmd.ProcessState; end != nil {
		return end, nil
	}
	return nil, err
}
