package handlertest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	h := handlers.PerFile(func(_ context.Context, job *handlers.Job) error {
		f, err := job.Open()
		if err != nil {
			return err
		}
		defer f.Close()
		if _, err := io.Copy(job.Output(), f); err != nil {
			return err
		}
		puid, _ := job.Fact("puid")
		return job.SetFact("seen", []any{job.Args(), puid, job.File().Size})
	})
	got := handlertest.Run(t, h, map[string]string{"a": "text", "b/c": ""},
		handlertest.Args("args"), handlertest.Facts(map[string]any{"puid": "fmt/1"}))
	if len(got) != 2 || got["a"].Output != "text" || string(got["a"].Facts) != `{"seen":["args","fmt/1",4]}` {
		t.Errorf("got %+v", got["a"])
	}
	if r := got["b/c"]; r.Outcome != tasks.OutcomeSucceeded || r.File != 2 || r.Output != "" {
		t.Errorf("got %+v", r)
	}
}

func TestOutputs(t *testing.T) {
	out := t.TempDir()
	h := handlers.PerFile(func(_ context.Context, job *handlers.Job) error {
		path := filepath.Join(out, "page")
		if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
			return err
		}
		return job.Emit(handlers.EmittedFile{Path: path, Name: "page", Base: out})
	})
	got := handlertest.Run(t, h, map[string]string{"book": ""}, handlertest.Outputs(out))["book"]
	if len(got.Emitted) != 1 || got.Emitted[0].Path != filepath.Join(out, "page") || got.Emitted[0].Size != 4 {
		t.Errorf("emitted %+v, error %s", got.Emitted, got.Error)
	}
	if got := handlertest.Run(t, h, map[string]string{"book": ""})["book"]; got.Outcome == tasks.OutcomeSucceeded || len(got.Emitted) != 0 {
		t.Errorf("without outputs: %+v", got)
	}
}

func TestTimeout(t *testing.T) {
	h := handlers.HandlerFunc(func(ctx context.Context, _ []*handlers.Job) error { <-ctx.Done(); return ctx.Err() })
	got := handlertest.Run(t, h, map[string]string{"a": ""}, handlertest.Timeout(time.Millisecond))
	if got["a"].Outcome != tasks.OutcomeTimedOut {
		t.Errorf("got %+v", got["a"])
	}
}

func TestRunFinalizer(t *testing.T) {
	h := func(ctx context.Context, c *handlers.TransferJob) error {
		return c.Create("names", func(w io.Writer) error {
			for f, err := range c.Files(ctx) {
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(w, f.Path, f.Facts["puid"], c.Args()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	step, base := handlertest.RunFinalizer(t, h, handlertest.FinalizerDryRun{
		Args:  "args",
		Files: []handlers.FinalFile{{File: tasks.File{Path: "/a"}, Facts: map[string]any{"puid": "fmt/1"}}},
	})
	text, err := os.ReadFile(filepath.Join(base, "names"))
	if step.State != tasks.FinalizeDone || err != nil || string(text) != "/a fmt/1 args\n" {
		t.Errorf("%+v, %q, %v", step, text, err)
	}
	step, _ = handlertest.RunFinalizer(t, func(context.Context, *handlers.TransferJob) error { return io.ErrUnexpectedEOF }, handlertest.FinalizerDryRun{})
	if step.State != tasks.FinalizeFailed || step.Error != "unexpected EOF" {
		t.Errorf("%+v", step)
	}
}
