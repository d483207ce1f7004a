package systemtest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/tracing/tracetest"
	"github.com/balerhq/baler/tasks"
)

// connected checks that spans are one trace, from the first to the last, and returns it.
func connected(t *testing.T, spans []tracetest.Span) {
	t.Helper()
	byID := make(map[string]tracetest.Span)
	for _, s := range spans {
		byID[s.ID] = s
	}
	roots := make(map[string]string)
	for _, s := range spans {
		if _, known := byID[s.Parent]; !known {
			roots[s.ID] = s.Name + " in " + s.Trace
		}
		if s.Trace != spans[0].Trace {
			t.Errorf("span %q is of trace %s, %q of %s", s.Name, s.Trace, spans[0].Name, spans[0].Trace)
		}
	}
	if len(roots) != 1 {
		t.Errorf("the trace falls apart: %v", roots)
	}
}

// parents are the spans under which each span of a transfer may be. A batch whose message has
// lost its header continues the trace of the transfer too, but below "create transfer": the
// parent of a first batch tells the difference. Batches of later steps and attempts are
// gathered from those of several runs, so they have no other parent.
func parents(s *tracetest.Span) []string {
	switch name := s.Name; {
	case name == "submit":
		return []string{""}
	case name == "create transfer":
		return []string{"submit"}
	case name == "queue" || strings.HasPrefix(name, "batch "):
		if s.Attributes["baler.attempt"] == "1" && s.Attributes["baler.step"] == "shaky" {
			return []string{"dispatch"}
		}
		return []string{"create transfer", "record"}
	case name == "invoke noop":
		return []string{"batch again"}
	case name == "invoke shaky":
		return []string{"batch shaky"}
	case slices.Contains([]string{"claim", "load", "wait for slots", "settle", "record"}, name):
		return []string{"batch shaky", "batch again"}
	default: // dispatch, final step, webhook
		return []string{"create transfer"}
	}
}

// underTheirParents checks the parent of every span by its name.
func underTheirParents(t *testing.T, spans []tracetest.Span) {
	t.Helper()
	names := make(map[string]string)
	for _, s := range spans {
		names[s.ID] = s.Name
	}
	for _, s := range spans {
		if allowed := parents(&s); !slices.Contains(allowed, names[s.Parent]) {
			t.Errorf("span %q is below %q, want one of %q", s.Name, names[s.Parent], allowed)
		}
	}
}

// From the submission to the recorded results of the last step all is one trace, over Redis and
// the database, also when files are tried again. No span says a secret or names a file.
func TestOneTraceFromSubmitToResults(t *testing.T) {
	t.Parallel()
	collector := tracetest.New(t)
	c := servers(t)
	c.Trace.Endpoint = collector.URL
	var hooked atomic.Value
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		hooked.Store(r.Header.Get("Traceparent"))
	}))
	t.Cleanup(hook.Close)
	c.Webhook.URLs, c.Webhook.Networks = []string{hook.URL + "/token-of-the-hook"}, []string{"127.0.0.0/8"}

	var inHandler atomic.Value
	var tried atomic.Int64
	out := t.TempDir()
	c.Roots = append(c.Roots, out)
	registry := register(t, "shaky", func(ctx context.Context, j *handlers.Job) error {
		inHandler.Store(trace.SpanContextFromContext(ctx).TraceID().String())
		if j.File().No == 3 && tried.Add(1) == 1 {
			return errors.New("the secret is in " + j.File().Path)
		}
		return nil
	})
	b := open(t, c, registry)
	stop := work(t, b)
	tr := submit(t, b, baler.Submission{
		Paths: []string{testkit.NumberedTree(t, 6)}, Via: tasks.ViaBulk,
		Recipe: yaml(t, "name: t\nsteps: [{handler: shaky, batch: {max_items: 3}, retry: {attempts: 2, backoff: 10ms}}, {name: again, handler: noop}]\n"+
			"finally: [{handler: manifest, with: {to: "+filepath.Join(out, "manifest")+"}}]"),
	})
	audit(t, b, wait(t, b, tr.UUID))
	testkit.Eventually(t, hung, func() error {
		if hooked.Load() == nil {
			return errors.New("no webhook has come")
		}
		return nil
	})
	stop()
	testkit.Must(t, b.Close()) // it sends what is left

	spans := collector.Spans()
	connected(t, spans)
	underTheirParents(t, spans)
	root := collector.Named("submit")
	if len(root) != 1 || root[0].Attributes["baler.transfer"] != tr.UUID || root[0].Attributes["baler.files"] != "6" {
		t.Fatalf("submit: %+v", root)
	}
	if inHandler.Load() != root[0].Trace || !strings.Contains(hooked.Load().(string), root[0].Trace) {
		t.Errorf("the handler has trace %v, the webhook %v, want %s", inHandler.Load(), hooked.Load(), root[0].Trace)
	}
	created := collector.Named("create transfer")
	batches := collector.Named("batch ")
	for _, s := range batches {
		if len(s.Links) != 1 || s.Links[0] != created[0].ID || s.Attributes["baler.transfer"] != tr.UUID || s.Attributes["baler.worker"] == "" {
			t.Errorf("batch: %+v", s)
		}
	}
	for name, least := range map[string]int{
		"dispatch": 1, "queue": 4, "batch shaky": 3, "batch again": 1, "claim": 4, "load": 4, "wait for slots": 4, "invoke shaky": 3,
		"invoke noop": 1, "settle": 4, "record": 4, "final step manifest": 1, "webhook": 1,
	} {
		if got := len(collector.Named(name)); got < least {
			t.Errorf("%d spans %q, want at least %d", got, name, least)
		}
	}
	again := 0
	for _, s := range batches {
		if s.Attributes["baler.attempt"] == "2" && s.Attributes["baler.succeeded"] == "1" {
			again++
		}
	}
	if again != 1 {
		t.Errorf("%d batches tried a file again: %+v", again, batches)
	}

	at, err := url.Parse(c.Database.URL)
	testkit.Must(t, err)
	secrets := []string{"token-of-the-hook", "the secret is in", tr.Sources[0]}
	if password, set := at.User.Password(); set && password != "" {
		secrets = append(secrets, ":"+password+"@")
	}
	for _, secret := range secrets {
		if strings.Contains(collector.Raw(), secret) {
			t.Errorf("the traces hold %q", secret)
		}
	}
	if t.Failed() {
		for _, s := range spans {
			t.Logf("%s %s < %s %v", s.Name, s.ID, s.Parent, s.Attributes)
		}
	}
}

// A collector that refuses everything costs no result and no time worth speaking of.
func TestWorkGoesOnWithoutTheCollector(t *testing.T) {
	t.Parallel()
	c := servers(t)
	c.Trace.Endpoint = "http://127.0.0.1:1"
	b := open(t, c, nil)
	work(t, b)
	tr := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 6)}, Recipe: builtinRecipe(t, "checksum")})
	audit(t, b, wait(t, b, tr.UUID))
}
