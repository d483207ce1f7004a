package command

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Limits are what the system lets a program use. They hold for each of its processes. Zero
// fields are no limits.
type Limits struct {
	Memory int64         // bytes of address space; Linux only
	CPU    time.Duration // processor time, in whole seconds, rounded up; not on Windows
}

// The systems whose limits this package can set.
const (
	systemLinux   = "linux"
	systemWindows = "windows"
)

// Check returns an error when this system cannot keep the limits.
func (l Limits) Check() error {
	switch {
	case l.Memory < 0 || l.CPU < 0:
		return errors.New("a limit is negative")
	case l.Memory > 0 && runtime.GOOS != systemLinux:
		return fmt.Errorf("a limit of memory is possible on Linux only, not on %s", runtime.GOOS)
	case l.CPU > 0 && runtime.GOOS == systemWindows:
		return errors.New("a limit of processor time is not possible on Windows")
	}
	return nil
}

// withLimits returns a program that sets its own limits and then becomes p. The shell that
// does so reads nothing of p: name and arguments are its parameters. Limits set from outside
// would come too late for what the program starts at once.
func (p Program) withLimits() (Program, error) {
	if err := p.Limits.Check(); err != nil || p.Limits == (Limits{}) {
		return p, err
	}
	path, err := exec.LookPath(p.Name) // else the error would be the shell's
	if err != nil {
		return p, err
	}
	var script strings.Builder
	if p.Limits.CPU > 0 {
		seconds := int64((p.Limits.CPU + time.Second - 1) / time.Second)
		// At the soft limit comes SIGXCPU, which tells the reason; SIGKILL comes a second later.
		fmt.Fprintf(&script, "ulimit -S -t %d && ulimit -H -t %d && ", seconds, seconds+1)
	}
	if p.Limits.Memory > 0 {
		fmt.Fprintf(&script, "ulimit -v %d && ", max(p.Limits.Memory>>10, 1))
	}
	script.WriteString(`exec "$0" "$@"`)
	p.Args = append([]string{"-c", script.String(), path}, p.Args...)
	p.Name = "/bin/sh"
	return p, nil
}
