package systemtest

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
)

// keptLog keeps what is logged.
type keptLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (k *keptLog) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(b)
}

func (k *keptLog) await(t *testing.T, text string) {
	t.Helper()
	testkit.Eventually(t, hung, func() error {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !strings.Contains(k.text.String(), text) {
			return fmt.Errorf("the log has no %q:\n%s", text, k.text.String())
		}
		return nil
	})
}

// A person changes the log level of one worker through the database; the other keeps its own.
func TestLogLevelOfAWorker(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		var log keptLog
		c.Worker.Name = "chatty"
		b, err := baler.Open(t.Context(), c, baler.Options{
			Registry: builtin.Registry(), Log: slog.New(slog.NewTextHandler(&log, nil)), HeartbeatInterval: 50 * time.Millisecond,
		})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, b)
		work(t, b)
		log.await(t, "worker started")
		for _, level := range []string{"debug", "error", "configured"} {
			testkit.Must(t, b.SetWorkerLogLevel(t.Context(), "chatty", level))
			log.await(t, `msg="log level changed" level=`+level)
		}
		if err := b.SetWorkerLogLevel(t.Context(), "nobody", "debug"); !errors.Is(err, baler.ErrWorkerNotFound) {
			t.Errorf("of no worker: %v", err)
		}
		if err := b.SetWorkerLogLevel(t.Context(), "chatty", "loud"); err == nil {
			t.Error("it accepts a level that there is not")
		}
		b.ToggleDebug(t.Context())
		log.await(t, "level=debug")
	})
}
