package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// pair is a program that leads a group of two and tells their numbers.
func pair(rest string) Program { return shell("sleep 1000 & echo $$ $!; " + rest) }

func pids(t *testing.T, output string) []int {
	t.Helper()
	var all []int
	for word := range strings.FieldsSeq(output) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatalf("%q are no process numbers", output)
		}
		all = append(all, pid)
	}
	if len(all) == 0 {
		t.Fatal("no process tells its number")
	}
	return all
}

// alive reports whether a process runs. One that has ended and is somebody
// else's to reap does not; one of our own that waits for it would be a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return fields[0] != "Z" || fields[1] == strconv.Itoa(os.Getpid())
}

func wantGone(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		waitFor(t, fmt.Sprintf("the end of process %d", pid), func() bool { return !alive(pid) })
	}
}

func TestEndOfContextEndsTheWholeGroup(t *testing.T) {
	job, stop, ended := running(t, pair("sleep 1000"), "\n")
	group := pids(t, job.Result().Output)
	for _, pid := range group {
		if !alive(pid) {
			t.Errorf("process %d is not there to begin with", pid)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	wantGone(t, group)
}

func TestNothingOfTheGroupOutlivesTheProgram(t *testing.T) {
	// The one left behind holds the streams, too.
	r := ran(t, pair("exit 0"))
	if r.Outcome != tasks.OutcomeSucceeded {
		t.Errorf("got %+v", r)
	}
	wantGone(t, pids(t, r.Output))
}

// One that has left the group and keeps the streams delays the job, no more.
func TestWhatLeavesTheGroupDoesNotHoldTheJob(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip(err)
	}
	r := ran(t, shell("trap 'exit 0' USR1; setsid sh -c 'echo $$; kill -USR1 '$$'; exec sleep 1000' & wait"))
	for _, pid := range pids(t, r.Output) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("the one that left has ended: %v", err)
		}
		wantGone(t, []int{pid})
	}
	if r.Outcome != tasks.OutcomeSucceeded {
		t.Errorf("got %+v", r)
	}
}

// parentVariable makes the test binary the worker that a program dies with.
const parentVariable = "BALER_TEST_COMMAND_PARENT"

func TestProgramDiesWithItsWorker(t *testing.T) {
	if os.Getenv(parentVariable) != "" {
		job := handlers.NewJob(handlers.JobSpec{MaxOutput: 1 << 10})
		p := Program{Name: "sh", Args: []string{"-c", "echo $$ >&3; exec sleep 1000 3>&-"}}
		cmd := p.command(&input{}, sink(job.WriteOutput), sink(job.WriteError))
		cmd.ExtraFiles = []*os.File{os.Stdout}
		c, err := startChild(cmd)
		testkit.Must(t, err)
		<-c.ended
		return
	}
	parent := exec.Command(os.Args[0], "-test.run=^TestProgramDiesWithItsWorker$", "-test.timeout=60s")
	parent.Env = append(os.Environ(), parentVariable+"=1")
	out, err := parent.StdoutPipe()
	testkit.Must(t, err)
	testkit.Must(t, parent.Start())
	line, readErr := bufio.NewReader(out).ReadString('\n')
	if err := errors.Join(readErr, parent.Process.Kill()); err != nil {
		t.Error(err)
	}
	_ = parent.Wait() // it was killed
	wantGone(t, pids(t, line))
}
