//go:build linux

package systemtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/handlers/command"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A program that hangs is ended at its step's timeout, with all processes that it started,
// and the worker continues.
func TestHangingProgramTimesOut(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		reg := builtin.Registry()
		testkit.Must(t, reg.Register("hang", handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
			return command.Command(ctx, job, "sh", "-c", "sleep 1000 & echo $$ $!; sleep 1000")
		})))
		testkit.Must(t, reg.Register("shout", handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
			return command.Command(ctx, job, "tr", "a-z", "A-Z")
		})))
		b := open(t, c, reg)
		work(t, b)
		root := testkit.NumberedTree(t, 1)
		submit := func(recipe string) []tasks.ResultLine {
			tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{root}, Recipe: yaml(t, recipe)})
			if err != nil {
				t.Fatal(err)
			}
			return audit(t, b, wait(t, b, tr.UUID))
		}
		lines := submit("name: x\nsteps:\n  - handler: hang\n    timeout: 3s\n    retry: {attempts: 1}\n")
		if len(lines) != 1 || lines[0].Outcome != tasks.OutcomeTimedOut || lines[0].Code != handlers.CodeTimeout {
			t.Fatalf("got %+v", lines)
		}
		group := strings.Fields(lines[0].Output)
		if len(group) != 2 {
			t.Fatalf("the output before the timeout is lost: %+v", lines[0])
		}
		for _, pid := range group {
			testkit.Eventually(t, time.Minute, func() error { return gone(pid) })
		}
		if lines := submit("name: x\nsteps:\n  - handler: shout\n"); len(lines) != 1 || lines[0].Outcome != tasks.OutcomeSucceeded {
			t.Errorf("afterwards: %+v", lines)
		}
	})
}

// gone returns nil when a process has ended. A zombie counts as ended unless this process
// is its parent.
func gone(pid string) error {
	stat, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return nil //nolint:nilerr // there is no such process
	}
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if fields[0] == "Z" && fields[1] != strconv.Itoa(os.Getpid()) {
		return nil
	}
	return fmt.Errorf("process %s is still there: %s", pid, text)
}
