package baler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// A run whose worker ends what an earlier run has begun, before the run itself
// comes to look, tells of it all the same.
func TestRunReportsATransferThatItsWorkerEndedEarly(t *testing.T) {
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	c.Database.URL = "sqlite:" + filepath.Join(t.TempDir(), "baler.db")
	c.Redis.URL = "embedded"
	c.Worker.Grace = 10 * time.Millisecond
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	reg := builtin.Registry()
	if err := reg.RegisterFinalizer("long", func(stop context.Context, _ *handlers.TransferJob) error {
		if ctx.Err() == nil {
			interrupt()
			<-stop.Done()
		}
		return stop.Err()
	}); err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Parse("x.yaml", []byte("name: x\nsteps:\n  - handler: checksum\nfinally:\n  - handler: long\n"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(t.Context(), c, Options{Registry: reg})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := Submission{Paths: []string{root}, Recipe: r}
	first, err := b.Run(ctx, s)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}

	// Another run of the same has its turn, until this one's worker is done.
	name := ingest.RunLockName(ingest.RunKeyOf(&ingest.TransferRequest{Recipe: r}, []string{root}))
	if held, err := b.store.AcquireLease(t.Context(), name, "another", time.Hour); err != nil || !held {
		t.Fatal(held, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := b.Wait(t.Context(), first.Transfer.UUID, nil)
		ended <- errors.Join(err, b.store.ReleaseLease(t.Context(), name, "another"))
	}()
	again, err := b.Run(t.Context(), s)
	if err := errors.Join(err, <-ended); err != nil {
		t.Fatal(err)
	}
	if !again.FoundChanges || !again.Resumed || again.Transfer.ID != first.Transfer.ID || again.Transfer.State != tasks.StateCompleted {
		t.Errorf("it tells %+v", again)
	}
}

// A wait that is interrupted before it has read anything keeps the transfer that it was
// told, so that the run can name it.
func TestRunNamesItsTransferWhenItsWaitIsInterrupted(t *testing.T) {
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	c.Database.URL, c.Redis.URL = "sqlite:"+filepath.Join(t.TempDir(), "baler.db"), "embedded"
	b, err := Open(t.Context(), c, Options{Registry: builtin.Registry()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ran := RunResult{Transfer: tasks.Transfer{ID: 7, UUID: "u"}}
	if err := ran.wait(ctx, b); !errors.Is(err, context.Canceled) || ran.Transfer.ID != 7 {
		t.Errorf("%v, %+v", err, ran.Transfer)
	}
}

// One cause is one error, and another one is not hidden.
func TestAnOutageIsToldOnce(t *testing.T) {
	away := func(what string) error {
		return fmt.Errorf("%s: %w", what, &net.OpError{Op: "dial", Err: errors.New("refused")})
	}
	other := errors.New("another cause")
	for want, got := range map[string]error{
		"register files: dial: refused":                                              toldOnce(away("register files"), away("remove worker")),
		"another cause\nremove worker: dial: refused":                                toldOnce(other, away("remove worker")),
		"register files: dial: refused\nanother cause":                               toldOnce(away("register files"), other),
		"register files: dial: refused\nremove worker: dial: refused\nanother cause": toldOnce(away("register files"), errors.Join(away("remove worker"), other)),
		"register files: dial: refused ":                                             fmt.Errorf("%w ", toldOnce(away("register files"), nil)),
	} {
		if got.Error() != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
