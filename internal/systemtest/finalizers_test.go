package systemtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// finalStepsText describes a transfer's final steps.
func finalStepsText(tr tasks.Transfer) string {
	words := []string{string(tr.State)}
	for _, s := range tr.Finalizers {
		words = append(words, fmt.Sprintf("%s:%s/%d", s.Name, s.State, s.Attempts))
	}
	return strings.Join(words, " ")
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

const manifests = "name: x\nsteps:\n  - handler: checksum\nfinally:\n  - handler: manifest\n    with: {to: '%s/${transfer}.sha256'}\n" +
	"  - handler: report\n    with: {to: '%s/${transfer}.json'}\n"

// Once the last file has ended, final steps write below the configured folders. Webhooks
// are sent after the last final step.
func TestFinalStepsRunAfterTheLastFile(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 700
		address, messages := listener(t, http.StatusOK)
		out := t.TempDir()
		c.Outputs, c.Webhook = []string{out}, config.WebhookSettings{URLs: []string{address}, Secret: webhookSecret, Networks: []string{"127.0.0.1"}}
		b := open(t, c, nil)
		work(t, b)
		work(t, open(t, withName(c, "other"), nil))
		tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Recipe: yaml(t, fmt.Sprintf(manifests, out, out))})
		if err != nil {
			t.Fatal(err)
		}
		tr = wait(t, b, tr.UUID)
		audit(t, b, tr)
		if got := finalStepsText(tr); got != "completed manifest:done/1 report:done/1" {
			t.Errorf("it is %s", got)
		}
		text, err := os.ReadFile(filepath.Join(out, tr.UUID+".sha256"))
		if n := strings.Count(string(text), "\n"); err != nil || n != files {
			t.Errorf("%d lines, %v", n, err)
		}
		m := receive(t, messages)
		if m.Type != "transfer.completed" || len(m.Transfer.Finalizers) != 2 || m.Transfer.Finalizers[1].State != tasks.FinalizeDone || len(messages) > 0 {
			t.Errorf("told %+v", m)
		}
		if got := listing(t, out); got != tr.UUID+".json "+tr.UUID+".sha256" {
			t.Errorf("written: %s", got)
		}
	})
}

func withName(c config.Config, name string) config.Config {
	c.Worker.Name = name
	return c
}

// On a worker without output folders, a final step that writes fails with the setting to
// change; so does one with a relative path. The transfer completes in both cases.
func TestFinalStepsFailOutsideTheOutputFolders(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		out := t.TempDir()
		b := open(t, c, nil)
		stop := work(t, b)
		run := func(to string) tasks.Transfer {
			t.Helper()
			tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Recipe: yaml(t, fmt.Sprintf(manifests, to, to))})
			if err != nil {
				t.Fatal(err)
			}
			return wait(t, b, tr.UUID)
		}
		tr := run(out)
		if got := finalStepsText(tr); got != "completed manifest:failed/1 report:failed/1" || !strings.Contains(tr.Finalizers[0].Error, "set BALER_OUTPUTS") {
			t.Errorf("it is %s: %+v", got, tr.Finalizers)
		}
		if relative := run("out"); !strings.Contains(relative.Finalizers[0].Error, "not an absolute path") {
			t.Errorf("got %+v", relative.Finalizers)
		}
		stop()

		// With another setting, a retry of the final steps succeeds without running a file again.
		c.Outputs = []string{out}
		b = open(t, c, nil)
		if n, err := b.RetryFinalizers(t.Context(), tr); err != nil || n != 2 {
			t.Fatalf("retried %d, %v", n, err)
		}
		if now, err := b.Transfer(t.Context(), tr.UUID); err != nil {
			t.Fatal(err)
		} else if _, err := b.RetryFinalizers(t.Context(), now); !errors.Is(err, baler.ErrNotCompleted) {
			t.Errorf("retried twice: %v", err)
		}
		work(t, b)
		if got := finalStepsText(wait(t, b, tr.UUID)); got != "completed manifest:done/1 report:done/1" {
			t.Errorf("it is %s", got)
		}
	})
}

// A run may write wherever its user may. A run that was interrupted in its final steps
// continues with them. Files that were added make a new transfer.
func TestRunContinuesItsFinalSteps(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		c.Worker.Grace = 10 * time.Millisecond
		root, out := testkit.NumberedTree(t, 3), t.TempDir()
		ctx, interrupt := context.WithCancel(t.Context())
		runs := 0
		reg := builtin.Registry()
		testkit.Must(t, reg.RegisterFinalizer("long", func(ctx context.Context, _ *handlers.TransferJob) error {
			if runs++; runs == 1 {
				interrupt()
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}))
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, fmt.Sprintf(manifests, out, out)+"  - handler: long\n")}
		b := open(t, c, reg)
		first, err := b.Run(ctx, s)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("interrupted: %v", err)
		}
		tr, err := b.Transfer(t.Context(), first.Transfer.UUID)
		if got := finalStepsText(tr); err != nil || got != "finalizing manifest:done/1 report:done/1 long:waiting/0" {
			t.Errorf("it is %s, %v", got, err)
		}
		again, err := b.Run(t.Context(), s)
		if err != nil || !again.FoundChanges || !again.Resumed || again.Transfer.UUID != tr.UUID {
			t.Fatalf("%+v, %v", again, err)
		}
		if got := finalStepsText(again.Transfer); got != "completed manifest:done/1 report:done/1 long:done/1" {
			t.Errorf("it is %s", got)
		}
		if third, err := b.Run(t.Context(), s); err != nil || third.FoundChanges {
			t.Errorf("%+v, %v", third, err)
		}
	})
}

// After a retry of files the final steps run again, over the new results.
func TestRetriedTransferIsFinalizedAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		out := t.TempDir()
		c.Outputs = []string{out}
		var tries atomic.Int64
		reg := builtin.Registry()
		testkit.Must(t, reg.Register("moody", handlers.PerFile(func(_ context.Context, job *handlers.Job) error {
			if job.File().No == 2 && tries.Add(1) == 1 {
				return handlers.Fail("moody", errors.New("not today"))
			}
			return job.SetFact("sha256", "abc")
		})))
		b := open(t, c, reg)
		work(t, b)
		recipe := strings.Replace(fmt.Sprintf(manifests, out, out), "handler: checksum", "handler: moody", 1)
		tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{testkit.NumberedTree(t, 2)}, Recipe: yaml(t, recipe)})
		testkit.Must(t, err)
		tr = wait(t, b, tr.UUID)
		if got := finalStepsText(tr); got != "completed manifest:done/1 report:done/1" || !strings.Contains(tr.Finalizers[0].Error, "1 of 2 files have no sha256") {
			t.Fatalf("it is %s: %+v", got, tr.Finalizers)
		}
		if n, err := b.Retry(t.Context(), tr, baler.ResultFilter{}); err != nil || n != 1 {
			t.Fatalf("retried %d, %v", n, err)
		}
		tr = wait(t, b, tr.UUID)
		audit(t, b, tr)
		if got := finalStepsText(tr); got != "completed manifest:done/1 report:done/1" || tr.Finalizers[0].Error != "" {
			t.Errorf("it is %s: %+v", got, tr.Finalizers)
		}
		text, err := os.ReadFile(filepath.Join(out, tr.UUID+".sha256"))
		if err != nil || strings.Count(string(text), "\n") != 2 {
			t.Errorf("%q, %v", text, err)
		}
	})
}
