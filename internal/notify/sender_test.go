package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/internal/notify"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
	"github.com/balerhq/baler/webhook"
)

const secret = "hush"

// env is a migrated database whose clock the test sets.
type env struct {
	*store.Store

	t          *testing.T
	clock      *testkit.Clock
	publicOnly bool // senders must not reach the receivers of tests
}

// thisHost lets messages reach the receivers of tests.
func thisHost(t *testing.T) egress.Policy {
	t.Helper()
	p, err := egress.New([]string{"127.0.0.1", "::1"})
	testkit.Must(t, err)
	return p
}

func onEachStore(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		t.Helper()
		e := &env{t: t, clock: testkit.NewClock()}
		var err error
		e.Store, err = store.Open(t.Context(), url, store.Options{Now: e.clock.Now})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, e)
		_, err = e.Migrate(t.Context())
		testkit.Must(t, err)
		test(t, e)
	})
}

// end ends a transfer whose webhooks go to the addresses.
func (e *env) end(addresses ...string) tasks.Transfer {
	e.t.Helper()
	tr, _, err := e.Create(e.t.Context(), store.NewTransfer{
		Name: "photos", Via: tasks.ViaBulk, Queue: "default", Webhooks: addresses, Steps: []tasks.StepProgress{{Number: 1, Name: "noop", Handler: "noop"}},
	})
	if err != nil {
		e.t.Fatal(err)
	}
	if completed, err := e.Seal(e.t.Context(), tr.ID); err != nil || !completed {
		e.t.Fatalf("an empty transfer has completed: %v, %v", completed, err)
	}
	return tr
}

// start runs a sender until the returned function is called, or the test ends.
func (e *env) start(outbox notify.DeliveryStore, o notify.SenderOptions) (stop func()) {
	e.t.Helper()
	o.PollInterval, o.Now, o.Secret = time.Millisecond, e.clock.Now, secret
	if !e.publicOnly {
		o.Reach = thisHost(e.t)
	}
	return testkit.Background(e.t, func(ctx context.Context) error {
		if err := notify.NewSender(outbox, o).Run(ctx); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("the sender ended with %w", err)
		}
		return nil
	})
}

// await waits until a transfer's only message is in the state that is describes.
func (e *env) await(tr tasks.Transfer, what string, is func(n *store.WebhookDelivery) bool) store.WebhookDelivery {
	e.t.Helper()
	var found store.WebhookDelivery
	testkit.Eventually(e.t, time.Minute, func() error {
		deliveries, err := e.Webhooks(e.t.Context(), tr.ID)
		if err != nil {
			return err
		}
		if len(deliveries) != 1 || !is(&deliveries[0]) {
			return fmt.Errorf("the message is not %s: %+v", what, deliveries)
		}
		found = deliveries[0]
		return nil
	})
	return found
}

func done(n *store.WebhookDelivery) bool { return n.DoneAt != nil && n.DueAt == nil && n.Error == "" }

func failedWith(reason string) func(n *store.WebhookDelivery) bool {
	return func(n *store.WebhookDelivery) bool { return n.DoneAt == nil && n.DueAt != nil && n.Error == reason }
}

// receiver is a web server that gets webhooks.
type receiver struct {
	*httptest.Server

	got chan *http.Request // requests in order, with bodies to read
}

// newReceiver answers the n-th request, from 0, as answer does.
func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	rc := &receiver{got: make(chan *http.Request, 1000)}
	var mu sync.Mutex
	n := -1
	rc.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the body: %v", err)
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		mu.Lock()
		n++
		turn := n
		mu.Unlock()
		answer(turn, w, r)
		rc.got <- r
	}))
	t.Cleanup(rc.Close)
	return rc
}

// next is the next request that was answered.
func (rc *receiver) next(t *testing.T) *http.Request {
	t.Helper()
	select {
	case r := <-rc.got:
		return r
	case <-time.After(time.Minute):
		t.Fatal("no request")
		return nil
	}
}

func statuses(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(codes[min(n, len(codes)-1)]) }
}

func TestSenderDeliversTheEndOfATransfer(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusNoContent))
		metrics := prometheus.NewRegistry()
		tr := e.end(rc.URL + "/hook?key=1")
		e.start(e, notify.SenderOptions{Version: "1.2", Metrics: metrics})
		r := rc.next(t)
		n := e.await(tr, "done", done)

		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != n.Body || !strings.Contains(n.Body, tr.UUID) || !strings.Contains(n.Body, `"transfer.completed"`) {
			t.Errorf("got %s, %v", body, err)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "User-Agent": "Baler/1.2", webhook.HeaderID: n.Event, "Baler-Delivery": "1",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if r.Method != http.MethodPost || r.RequestURI != "/hook?key=1" {
			t.Errorf("%s %s", r.Method, r.RequestURI)
		}
		if err := webhook.VerifySignature(secret, r.Header, body, time.Minute, e.clock.Now()); err != nil {
			t.Error(err)
		}
		families, err := metrics.Gather()
		if err != nil || len(families) != 1 || families[0].GetName() != "baler_webhook_deliveries_total" ||
			families[0].GetMetric()[0].GetLabel()[0].GetValue() != "delivered" || families[0].GetMetric()[0].GetCounter().GetValue() != 1 {
			t.Errorf("counted %v, %v", families, err)
		}
		notify.NewSender(e, notify.SenderOptions{Metrics: metrics}) // a second one shares the counter
	})
}

func TestSenderRepeatsFailedAttempts(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusInternalServerError, http.StatusTooManyRequests, http.StatusOK))
		tr := e.end(rc.URL)
		e.start(e, notify.SenderOptions{})
		var event string
		for i, want := range []func(*store.WebhookDelivery) bool{
			failedWith("answered 500 Internal Server Error"), failedWith("answered 429 Too Many Requests"), done,
		} {
			r := rc.next(t)
			n := e.await(tr, fmt.Sprintf("as after attempt %d", i+1), want)
			if event == "" {
				event = n.Event
			}
			if r.Header.Get(webhook.HeaderID) != event || r.Header.Get("Baler-Delivery") != strconv.Itoa(i+1) {
				t.Errorf("attempt %d: event %s, delivery %s", i+1, r.Header.Get(webhook.HeaderID), r.Header.Get("Baler-Delivery"))
			}
			if n.DueAt == nil {
				continue
			}
			if pause := n.DueAt.Sub(e.clock.Now()); pause < time.Second || pause > time.Duration(i+1)*time.Second {
				t.Errorf("the delay after attempt %d is %s", i+1, pause)
			}
			select {
			case <-rc.got:
				t.Error("the message came before it was due")
			default:
			}
			e.clock.Advance(time.Duration(i+1) * time.Second)
		}
	})
}

func TestSenderGivesUpAfterADay(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusNotFound))
		tr := e.end(rc.URL)
		e.clock.Advance(24 * time.Hour)
		e.start(e, notify.SenderOptions{})
		rc.next(t)
		e.await(tr, "given up", func(n *store.WebhookDelivery) bool {
			return n.DueAt == nil && n.DoneAt == nil && n.Error == "answered 404 Not Found"
		})
	})
}

func TestSenderFollowsNoRedirects(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		elsewhere := newReceiver(t, statuses(http.StatusOK))
		rc := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		})
		tr := e.end(rc.URL)
		e.start(e, notify.SenderOptions{})
		e.await(tr, "refused", failedWith("answered 307 Temporary Redirect, and redirects are not followed"))
		if len(elsewhere.got) > 0 {
			t.Error("the redirect was followed")
		}
	})
}

// The name is fine when it is submitted; what it resolves to is not.
func TestSenderConnectsToPublicAddressesOnly(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		e.publicOnly = true
		rc := newReceiver(t, statuses(http.StatusOK))
		_, port, err := net.SplitHostPort(rc.Listener.Addr().String())
		testkit.Must(t, err)
		var refused []tasks.Transfer
		for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
			refused = append(refused, e.end("http://"+host+":"+port+"/secret"))
		}
		e.start(e, notify.SenderOptions{})
		for _, tr := range refused {
			n := e.await(tr, "refused", func(n *store.WebhookDelivery) bool { return n.Error != "" })
			if !strings.Contains(n.Error, "add it to webhook.networks") || strings.Contains(n.Error, "secret") {
				t.Errorf("got %q", n.Error)
			}
		}
		if len(rc.got) > 0 {
			t.Error("a message came to this host")
		}
	})
}

// One receiver hangs and one refuses connections; the others get their messages.
func TestReceiversThatHangDoNotDelayOthers(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		release := make(chan struct{})
		hangs := newReceiver(t, func(int, http.ResponseWriter, *http.Request) { <-release })
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		rc := newReceiver(t, statuses(http.StatusOK))
		e.end(hangs.URL)
		absent, well := e.end(gone.URL+"/secret"), e.end(rc.URL)
		stop := e.start(e, notify.SenderOptions{Timeout: time.Hour})
		e.await(well, "done", done)
		n := e.await(absent, "refused", func(n *store.WebhookDelivery) bool { return n.Error != "" && n.DueAt != nil })
		if !strings.Contains(n.Error, "refused") || strings.Contains(n.Error, "secret") {
			t.Errorf("got %q", n.Error)
		}
		close(release)
		stop()
	})
}

func TestAttemptsTimeOut(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		hangs := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		tr := e.end(hangs.URL)
		e.start(e, notify.SenderOptions{Timeout: 20 * time.Millisecond})
		e.await(tr, "too slow", failedWith("no answer within 20ms"))
	})
}

func TestSendersShareTheOutbox(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		const messages = 60
		var mu sync.Mutex
		under, most := make(map[string]int), 0
		rc := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			event := r.Header.Get(webhook.HeaderID)
			mu.Lock()
			under[event]++
			most = max(most, under[event])
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				under[event]--
			}()
			w.WriteHeader(http.StatusOK)
		})
		for range messages / 2 {
			e.end(rc.URL+"/a", rc.URL+"/b")
		}
		for range 3 {
			e.start(e, notify.SenderOptions{})
		}
		times := make(map[string]int)
		for range messages {
			times[rc.next(t).Header.Get(webhook.HeaderID)]++
		}
		if len(times) != messages || len(rc.got) > 0 || most != 1 {
			t.Errorf("%d events in %d deliveries, %d more, one event %d times at once", len(times), messages, len(rc.got), most)
		}
	})
}

// A sender dies after the receiver has accepted a message and before it records that.
func TestDeliveryThatIsNotRecordedIsRepeated(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusOK))
		tr := e.end(rc.URL)
		stop := e.start(unrecorded{e}, notify.SenderOptions{})
		first := rc.next(t)
		stop()
		e.start(e, notify.SenderOptions{})
		e.await(tr, "taken", func(n *store.WebhookDelivery) bool { return n.Attempts == 1 && n.DueAt != nil && n.DoneAt == nil })
		e.clock.Advance(30 * time.Second)
		second := rc.next(t)
		e.await(tr, "done", done)
		if a, b := first.Header.Get(webhook.HeaderID), second.Header.Get(webhook.HeaderID); a == "" || a != b {
			t.Errorf("events %s and %s", a, b)
		}
		if a, b := first.Header.Get("Baler-Delivery"), second.Header.Get("Baler-Delivery"); a != "1" || b != "2" {
			t.Errorf("deliveries %s and %s", a, b)
		}
	})
}

// unrecorded is a store that fails to record results.
type unrecorded struct{ notify.DeliveryStore }

func (unrecorded) FinishWebhook(context.Context, int64, string, time.Duration) error {
	return errors.New("the process is dead")
}

// A process that ends with its transfer still sends the message.
func TestStoppingSenderMakesOneMoreRound(t *testing.T) {
	onEachStore(t, func(t *testing.T, e *env) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusOK))
		queried := make(chan struct{}, 10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() {
			ended <- notify.NewSender(observedStore{e, queried}, notify.SenderOptions{Now: e.clock.Now, PollInterval: time.Hour, Reach: thisHost(t)}).Run(ctx)
		}()
		<-queried // it finds nothing and waits
		tr := e.end(rc.URL)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("sender: %v", err)
		}
		if deliveries, err := e.Webhooks(t.Context(), tr.ID); err != nil || len(deliveries) != 1 || !done(&deliveries[0]) {
			t.Errorf("not delivered before it ended: %v, %+v", err, deliveries)
		}
		if r := rc.next(t); r.Header.Get(webhook.HeaderSignature) != "" {
			t.Error("it is signed without a secret")
		}
	})
}

// observedStore signals each query for due messages.
type observedStore struct {
	notify.DeliveryStore

	queried chan<- struct{}
}

func (a observedStore) DueWebhooks(ctx context.Context, limit int) ([]store.WebhookDelivery, error) {
	deliveries, err := a.DeliveryStore.DueWebhooks(ctx, limit)
	a.queried <- struct{}{}
	return deliveries, err
}
