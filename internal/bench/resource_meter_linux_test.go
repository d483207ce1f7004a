package bench

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func TestMeterKeepsWhatAnEndedProcessUsed(t *testing.T) {
	t.Parallel()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	// Some work, then waiting for the end of standard input, so that it can be read.
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; cat")
	cmd.Stdin = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m := newMeter(map[string][]int{"gone": {1 << 30}})
	m.born("child", cmd.Process.Pid)
	m.own()
	testkit.Eventually(t, time.Minute, func() error {
		if now, _ := read(cmd.Process.Pid); now.cpu == 0 {
			return exec.ErrWaitDelay
		}
		return nil
	})
	m.look()
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	u := m.end()
	if u.cpu["child"] <= 0 || u.peak["child"] < 100<<10 {
		t.Errorf("child: %v s, %d bytes", u.cpu["child"], u.peak["child"])
	}
	if u.peak["bench"] < 1<<20 {
		t.Errorf("this process: %d bytes", u.peak["bench"])
	}
	if _, ok := u.cpu["gone"]; ok {
		t.Error("a process that never was used something")
	}
}
