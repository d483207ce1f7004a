//go:build failpoint

package failpoint

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// fault is parsed at the first call of Point; a process has one environment.
var fault = sync.OnceValue(func() Fault { //nolint:gochecknoglobals // see above
	p, err := parse(os.Getenv(Variable))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", Variable, err))
	}
	return p
})

// calls counts the calls at the fault's point.
var calls atomic.Int64 //nolint:gochecknoglobals // of this process, like the fault

// Point carries out the fault when it is for this call.
func Point(at Name) {
	p := fault()
	if p.at != at || calls.Add(1) != p.call {
		return
	}
	switch p.action {
	case kill:
		signal(syscall.SIGKILL)
		select {} // nothing runs after this line, however long the signal takes
	case stop:
		signal(syscall.SIGSTOP)
	case hold:
		wait(p.file)
	}
}

func signal(s syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		panic(fmt.Sprintf("failpoint: signal the own process: %v", err))
	}
}

// wait creates the file and returns when it has been removed.
func wait(file string) {
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		panic(fmt.Sprintf("failpoint: %v", err))
	}
	for {
		if _, err := os.Stat(file); err != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
