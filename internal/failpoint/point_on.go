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

// plan is read when the first point is passed; a process has one environment.
var plan = sync.OnceValue(func() Plan { //nolint:gochecknoglobals // see above
	p, err := parse(os.Getenv(Variable))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", Variable, err))
	}
	return p
})

// passed counts how often the plan's point was passed.
var passed atomic.Int64 //nolint:gochecknoglobals // of this process, like the plan

// Point does what the environment says for this moment.
func Point(at Name) {
	p := plan()
	if p.at != at || passed.Add(1) != p.passing {
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
		panic(fmt.Sprintf("failpoint: signal myself: %v", err))
	}
}

// wait makes the file and returns when somebody has removed it.
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
