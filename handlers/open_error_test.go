package handlers

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestOpenVerdicts(t *testing.T) {
	dir := t.TempDir()
	file := testkit.WriteFileIn(t, dir, "file", "x")
	fifo := filepath.Join(dir, "fifo")
	testkit.Must(t, syscall.Mkfifo(fifo, 0o600))
	sock, err := net.Listen("unix", filepath.Join(dir, "s"))
	testkit.Must(t, err)
	defer sock.Close()
	link(t, "loop", dir+"/loop")
	link(t, dir+"/circle", dir+"/circle")
	for path, want := range map[string]verdict{
		dir + "/none":                {tasks.OutcomeFailed, 1, CodeNotFound},
		dir + "/none/below":          {tasks.OutcomeFailed, 1, CodeNotFound},
		file + "/below":              {tasks.OutcomeFailed, 1, CodeNotFound},
		dir:                          {tasks.OutcomeFailed, 1, CodeNotAFile},
		fifo:                         {tasks.OutcomeFailed, 1, CodeNotAFile},
		dir + "/s":                   {tasks.OutcomeFailed, 1, CodeNotAFile},
		dir + "/loop":                {tasks.OutcomeFailed, 1, CodeNotAFile},
		dir + "/circle":              {tasks.OutcomeFailed, 1, CodeNotAFile},
		"/etc/passwd":                {tasks.OutcomeFailed, 1, CodeOutsideRoots},
		link(t, "none", dir+"/gone"): {tasks.OutcomeFailed, 1, CodeNotFound},
	} {
		job := NewJob(JobSpec{File: tasks.File{Path: path}, Opener: rootsOf(t, dir)})
		_, err := job.Open()
		if err == nil {
			t.Errorf("%s was opened", path)
			continue
		}
		if got, _ := verdictOf(err); got != want {
			t.Errorf("%s: got %+v, want %+v (%v)", path, got, want, err)
		}
	}
}

type brokenOpener struct{ err error }

func (o brokenOpener) Open(string) (*os.File, error) { return nil, o.err }

// Errors that a test cannot cause as root, or at all, on a real file system.
func TestOpenVerdictsOfTheSystem(t *testing.T) {
	for errno, want := range map[syscall.Errno]verdict{
		syscall.EACCES: {tasks.OutcomeFailed, 1, CodeNotPermitted},
		syscall.EPERM:  {tasks.OutcomeFailed, 1, CodeNotPermitted},
		syscall.EIO:    {tasks.OutcomeError, 1, CodeIO},
		syscall.ESTALE: {tasks.OutcomeError, 1, CodeIO},
		syscall.EMFILE: {tasks.OutcomeError, 1, CodeIO},
	} {
		opener := brokenOpener{&fs.PathError{Op: "open", Path: "x", Err: errno}}
		_, err := NewJob(JobSpec{Opener: opener}).Open()
		if got, _ := verdictOf(err); got != want || !errors.Is(err, errno) {
			t.Errorf("%v: got %+v", errno, got)
		}
	}
}
