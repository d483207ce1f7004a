package crashtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/testkit"
)

// patience is the longest wait for one event.
const patience = 100 * time.Second

// process is one run of the program.
type process struct {
	t      testing.TB
	name   string
	cmd    *exec.Cmd
	stdout bytes.Buffer // read when it has ended
	log    string       // a file: it can be read while the process lives
	ended  chan struct{}
	err    error
}

// start runs the program with a fault; empty for none. The process is killed when
// the test ends and, on Linux, when the test process dies.
func (e *env) start(name, fault string, args ...string) *process {
	e.t.Helper()
	p := &process{t: e.t, name: name, log: filepath.Join(e.dir, name+".log"), ended: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	testkit.Must(e.t, err)
	defer log.Close()
	p.cmd = exec.Command(binary, args...)
	p.cmd.Env = append(e.environment(), "BALER_WORKER_NAME="+name, failpoint.Variable+"="+fault)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, log
	p.cmd.SysProcAttr = attributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the child ends with the thread that started it
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		e.t.Fatalf("start %s: %v", name, err)
	}
	e.t.Cleanup(p.kill)
	e.processes = append(e.processes, p)
	return p
}

func (p *process) signal(sig syscall.Signal) {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal %s: %v", p.name, err)
	}
}

// kill ends the process at once. Killing twice is fine.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended
	<-p.ended
}

// wait returns how the process ended.
func (p *process) wait() error {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.t.Fatalf("%s does not end; its log:\n%s", p.name, p.logText())
		return nil
	}
}

// finish lets a worker stop in order.
func (p *process) finish() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		p.t.Errorf("%s did not stop in order: %v; its log:\n%s", p.name, err, p.logText())
	}
}

// awaitKilled waits until the process has killed itself at its failpoint.
func (p *process) awaitKilled() {
	p.t.Helper()
	err := p.wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		p.t.Fatalf("%s ended by itself instead of being killed: %v; its log:\n%s", p.name, err, p.logText())
	}
}

// awaitStopped waits until the process has stopped itself at its failpoint.
func (p *process) awaitStopped() {
	p.t.Helper()
	testkit.Eventually(p.t, patience, func() error {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		if err != nil {
			return err
		}
		_, fields, _ := strings.Cut(string(stat), ") ")
		if !strings.HasPrefix(fields, "T") {
			return fmt.Errorf("%s is in state %.1s, want T; its log:\n%s", p.name, fields, p.logText())
		}
		return nil
	})
}

func (p *process) logText() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}
