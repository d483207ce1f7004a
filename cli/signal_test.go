package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// slowFiles and slowRecipe make a run that slowRate stretches to half a minute.
const (
	slowFiles  = 3000
	slowRate   = "200" // files begun a second
	slowRecipe = `name: slow
steps:
  - {name: one, handler: noop, batch: {max_items: 10}}
  - {name: two, handler: noop, batch: {max_items: 10}}
`
)

func TestBinaryStoppedInTheMiddleGoesOn(t *testing.T) {
	t.Parallel()
	path := binary(t)
	goesOn := regexp.MustCompile(`Interrupted: [1-9][0-9,]* of 3,000 files are done\. Run the same command again to continue\.`)
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		code   int
	}{
		{"interrupt", syscall.SIGINT, exitInterrupted},
		{"terminate", syscall.SIGTERM, exitInterrupted},
		{"hang up", syscall.SIGHUP, exitInterrupted},
		{"kill", syscall.SIGKILL, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(c.signal) {
				t.Skipf("this process ignores %v, as under nohup, and so do those that it starts", c.signal)
			}
			s := newTestEnv(t)
			for i := range slowFiles {
				s.file(fmt.Sprintf("in/%d/%d", i%10, i), "x")
			}
			args := []string{"run", "--json", "--recipe", s.file("slow.yaml", slowRecipe), s.path("in")}
			s.must(exitOK, "limit", "--files-per-second", slowRate)
			code, stderr := s.stopped(path, c.signal, args...)
			s.must(exitOK, "limit", "--files-per-second", "none")
			if code != c.code {
				t.Fatalf("exit code %d, want %d; stderr:\n%s", code, c.code, stderr)
			}
			if c.code == exitInterrupted && !goesOn.MatchString(stderr) {
				t.Errorf("stderr does not say how far it came:\n%s", stderr)
			}
			sum := s.must(exitOK, args...).summary(t)
			if sum.Files != slowFiles || sum.Finished != slowFiles || sum.Results.Succeeded != 2*slowFiles {
				t.Errorf("after going on: %+v", sum)
			}
			if n := strings.Count(s.must(exitOK, "results", "--json", sum.Transfer).stdout, "\n"); n != 2*slowFiles {
				t.Errorf("%d results, want %d", n, 2*slowFiles)
			}
			third := s.must(exitOK, "run", "--recipe", s.path("slow.yaml"), s.path("in"))
			contains(t, "a third run", third.stdout, "No changes since transfer "+s.number(sum.Transfer))
			s.file("in/new", "new")
			s.file("in/0/0", "changed")
			if sum := s.must(exitOK, args...).summary(t); sum.Files != 2 {
				t.Errorf("after one file was added and one changed: %+v", sum)
			}
		})
	}
}

// stopped runs the binary until some files are done but not all, and sends it a signal.
func (s *testEnv) stopped(path string, signal syscall.Signal, args ...string) (code int, stderr string) {
	s.t.Helper()
	var out buffer
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Stderr = s.env, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	testkit.Eventually(s.t, time.Minute, func() error {
		r := s.do("status", "--json")
		if r.code != exitOK || r.stdout == "" {
			return errors.New("there is no transfer yet: " + r.stderr)
		}
		sum := r.summary(s.t)
		if sum.Files < slowFiles || sum.Finished == 0 {
			return fmt.Errorf("%d of %d files are done", sum.Finished, sum.Files)
		}
		return nil
	})
	if err := cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Fatal(err)
	}
	<-ended
	return cmd.ProcessState.ExitCode(), out.String()
}

func TestBinarySaysItsVersion(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(binary(t), "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "baler "+testkit.ProgramVersion+" (go1.") {
		t.Errorf("%s, %v", out, err)
	}
}
