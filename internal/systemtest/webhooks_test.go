package systemtest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
	"github.com/balerhq/baler/webhook"
)

// message is a webhook's message as a receiver reads it.
type message struct {
	Event    string             `json:"event"`
	Type     string             `json:"type"`
	Transfer tasks.Summary      `json:"transfer"`
	Fixity   baler.FixityCounts `json:"fixity"`
	path     string
}

const webhookSecret = "hush"

// listener is a receiver that checks signatures. It answers the first message with the
// first status, and so on; the last status answers all further messages.
func listener(t *testing.T, statuses ...int) (address string, messages <-chan message) {
	t.Helper()
	all := make(chan message, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = webhook.VerifySignature(webhookSecret, r.Header, body, 0, time.Now())
		}
		m := message{path: r.URL.Path}
		if err = errors.Join(err, json.Unmarshal(body, &m)); err != nil || m.Event != r.Header.Get(webhook.HeaderID) {
			t.Errorf("a message with a wrong signature: %v, %s", err, body)
		}
		all <- m
		n := r.Header.Get("Baler-Delivery")
		if n == "1" {
			w.WriteHeader(statuses[0])
			return
		}
		w.WriteHeader(statuses[len(statuses)-1])
	}))
	t.Cleanup(srv.Close)
	return srv.URL, all
}

func receive(t *testing.T, messages <-chan message) message {
	t.Helper()
	select {
	case m := <-messages:
		return m
	case <-time.After(time.Minute):
		t.Fatal("no webhook about the end")
		return message{}
	}
}

func TestWebhooksAreSentForEndsWithFailures(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		address, messages := listener(t, http.StatusInternalServerError, http.StatusOK)
		c.Webhook = config.WebhookSettings{URLs: []string{address + "/site", address + "/both"}, Secret: webhookSecret, Networks: []string{"127.0.0.1"}}
		c.Webhook.Events = []string{tasks.EventCompleted}
		reg := builtin.Registry()
		reg.Register("moody", handlers.PerFile(func(_ context.Context, job *handlers.Job) error {
			if job.File().No == 2 {
				return handlers.Fail("broken", errors.New("it is broken"))
			}
			return nil
		}))
		b := open(t, c, reg)
		work(t, b)
		tr, _, err := b.Submit(t.Context(), baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 3)}, Recipe: yaml(t, "name: x\nsteps:\n  - handler: moody\n"),
			Webhooks: []string{address + "/both", address + "/mine"},
		})
		if err != nil {
			t.Fatal(err)
		}
		audit(t, b, wait(t, b, tr.UUID))
		events := map[string][]string{} // by path
		for range 6 {                   // each of three is refused once
			m := receive(t, messages)
			events[m.path] = append(events[m.path], m.Event)
			want := tasks.Counts{Succeeded: 2, Failed: 1}
			if m.Type != "transfer.completed" || m.Transfer.Transfer != tr.UUID || m.Transfer.Results != want {
				t.Errorf("received %+v", m)
			}
		}
		for _, path := range []string{"/site", "/both", "/mine"} {
			if e := events[path]; len(e) != 2 || e[0] != e[1] {
				t.Errorf("%s received events %v", path, events)
			}
		}
		if len(messages) > 0 {
			t.Errorf("%d more messages", len(messages))
		}
	})
}

// A server without a worker sends webhooks, too, here for a canceled transfer.
func TestWebhooksAreSentForCanceledTransfers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		address, messages := listener(t, http.StatusOK)
		c.Webhook = config.WebhookSettings{Secret: webhookSecret, Networks: []string{"127.0.0.1"}}
		b := open(t, c, nil)
		tr, _, err := b.Submit(t.Context(), baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 3)}, Recipe: builtinRecipe(t, "default"), Webhooks: []string{address},
		})
		if err != nil {
			t.Fatal(err)
		}
		if canceled, err := b.Cancel(t.Context(), tr); err != nil || !canceled {
			t.Fatalf("canceled %v, %v", canceled, err)
		}
		var lc net.ListenConfig
		ln, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- b.Serve(ctx, ln, false) }()
		m := receive(t, messages)
		if m.Type != "transfer.canceled" || m.Transfer.Transfer != tr.UUID || m.Transfer.State != tasks.StateCanceled {
			t.Errorf("received %+v", m)
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// A run sends the webhooks of its transfer before it returns.
func TestRunSendsWebhooksBeforeItEnds(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		address, messages := listener(t, http.StatusOK)
		c.Webhook = config.WebhookSettings{Secret: webhookSecret, Networks: []string{"127.0.0.1"}}
		b := open(t, c, nil)
		ran, err := b.Run(t.Context(), baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 3)}, Recipe: builtinRecipe(t, "default"), Webhooks: []string{address},
		})
		if err != nil || len(messages) != 1 {
			t.Fatalf("%d messages, %v", len(messages), err)
		}
		if m := <-messages; m.Transfer.Transfer != ran.Transfer.UUID {
			t.Errorf("received %+v", m)
		}
	})
}

func TestSubmissionWithABadWebhookIsRefused(t *testing.T) {
	t.Parallel()
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, c, nil)
	for bad, why := range map[string]string{
		"ftp://u:hush@h": "webhook 2", "http://u:hush@169.254.169.254/hush": "webhook 2: 169.254.169.254 is a link-local address: add it to webhook.networks",
		"http://localhost:6379/hush": "a loopback address",
	} {
		s := baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}, Recipe: builtinRecipe(t, "default"), Webhooks: []string{"https://fine", bad}}
		_, _, submitErr := b.Submit(t.Context(), s)
		_, runErr := b.Run(t.Context(), s)
		for _, err := range []error{submitErr, runErr} {
			if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v", err)
			}
		}
	}
	if ts, err := b.Transfers(t.Context(), 0, 10); err != nil || len(ts) > 0 {
		t.Errorf("registered %+v, %v", ts, err)
	}
}
