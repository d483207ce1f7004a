package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/notify"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
	"github.com/balerhq/baler/webhook"
)

const secret = "hush"

// post is what a couriers' test has at hand: a database whose clock it sets.
type post struct {
	*store.Store

	t     *testing.T
	clock *testkit.Clock
}

func onEachStore(t *testing.T, test func(t *testing.T, p *post)) {
	t.Helper()
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite": func(t *testing.T) string { t.Helper(); return "sqlite:" + filepath.Join(t.TempDir(), "baler.db") },
		"mysql":  func(t *testing.T) string { t.Helper(); return testkit.MySQL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &post{t: t, clock: testkit.NewClock()}
			var err error
			if p.Store, err = store.Open(t.Context(), address(t), store.Options{Now: p.clock.Now}); err != nil {
				t.Fatal(err)
			}
			testkit.CloseAtEnd(t, p)
			if _, err := p.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, p)
		})
	}
}

// end ends a transfer of which the addresses are to be told.
func (p *post) end(addresses ...string) tasks.Transfer {
	p.t.Helper()
	tr, _, err := p.Create(p.t.Context(), store.NewTransfer{
		Name: "photos", Via: tasks.ViaBulk, Queue: "default", Webhooks: addresses, Steps: []tasks.Step{{Number: 1, Name: "noop", Handler: "noop"}},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	if completed, err := p.Seal(p.t.Context(), tr.ID); err != nil || !completed {
		p.t.Fatalf("an empty transfer has completed: %v, %v", completed, err)
	}
	return tr
}

// start runs a courier until the returned function is called, or the test ends.
func (p *post) start(notes notify.DeliveryStore, o notify.SenderOptions) (stop func()) {
	p.t.Helper()
	o.PollInterval, o.Now, o.Secret = time.Millisecond, p.clock.Now, secret
	return testkit.Background(p.t, func(ctx context.Context) error {
		if err := notify.NewSender(notes, o).Run(ctx); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("the courier ended with %w", err)
		}
		return nil
	})
}

// noted waits until a transfer's only message is as it should be.
func (p *post) noted(tr tasks.Transfer, what string, is func(n *store.WebhookDelivery) bool) store.WebhookDelivery {
	p.t.Helper()
	var note store.WebhookDelivery
	testkit.Eventually(p.t, time.Minute, func() error {
		notes, err := p.Webhooks(p.t.Context(), tr.ID)
		if err != nil {
			return err
		}
		if len(notes) != 1 || !is(&notes[0]) {
			return fmt.Errorf("the message is not %s: %+v", what, notes)
		}
		note = notes[0]
		return nil
	})
	return note
}

func done(n *store.WebhookDelivery) bool { return n.DoneAt != nil && n.DueAt == nil && n.Error == "" }

func failedWith(reason string) func(n *store.WebhookDelivery) bool {
	return func(n *store.WebhookDelivery) bool { return n.DoneAt == nil && n.DueAt != nil && n.Error == reason }
}

// receiver is somebody's web server.
type receiver struct {
	*httptest.Server

	got chan *http.Request // what has come, in order, with bodies to be read
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
		t.Fatal("nothing comes")
		return nil
	}
}

func statuses(codes ...int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(codes[min(n, len(codes)-1)]) }
}

func TestCourierTellsOfATransfersEnd(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusNoContent))
		metrics := prometheus.NewRegistry()
		tr := p.end(rc.URL + "/hook?key=1")
		p.start(p, notify.SenderOptions{Version: "1.2", Metrics: metrics})
		r := rc.next(t)
		n := p.noted(tr, "done", done)

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
		if err := webhook.VerifySignature(secret, r.Header, body, time.Minute, p.clock.Now()); err != nil {
			t.Error(err)
		}
		families, err := metrics.Gather()
		if err != nil || len(families) != 1 || families[0].GetName() != "baler_webhook_deliveries_total" ||
			families[0].GetMetric()[0].GetLabel()[0].GetValue() != "delivered" || families[0].GetMetric()[0].GetCounter().GetValue() != 1 {
			t.Errorf("counted %v, %v", families, err)
		}
		notify.NewSender(p, notify.SenderOptions{Metrics: metrics}) // a second one shares the counter
	})
}

func TestCourierTriesAgain(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusInternalServerError, http.StatusTooManyRequests, http.StatusOK))
		tr := p.end(rc.URL)
		p.start(p, notify.SenderOptions{})
		var event string
		for try, want := range []func(*store.WebhookDelivery) bool{
			failedWith("answered 500 Internal Server Error"), failedWith("answered 429 Too Many Requests"), done,
		} {
			r := rc.next(t)
			n := p.noted(tr, fmt.Sprintf("as after try %d", try+1), want)
			if event == "" {
				event = n.Event
			}
			if r.Header.Get(webhook.HeaderID) != event || r.Header.Get("Baler-Delivery") != strconv.Itoa(try+1) {
				t.Errorf("try %d: event %s, delivery %s", try+1, r.Header.Get(webhook.HeaderID), r.Header.Get("Baler-Delivery"))
			}
			if n.DueAt == nil {
				continue
			}
			if pause := n.DueAt.Sub(p.clock.Now()); pause < time.Second || pause > time.Duration(try+1)*time.Second {
				t.Errorf("the pause after try %d is %s", try+1, pause)
			}
			select {
			case <-rc.got:
				t.Error("it comes before its time")
			default:
			}
			p.clock.Advance(time.Duration(try+1) * time.Second)
		}
	})
}

func TestCourierGivesUpAfterADay(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusNotFound))
		tr := p.end(rc.URL)
		p.clock.Advance(24 * time.Hour)
		p.start(p, notify.SenderOptions{})
		rc.next(t)
		p.noted(tr, "given up", func(n *store.WebhookDelivery) bool {
			return n.DueAt == nil && n.DoneAt == nil && n.Error == "answered 404 Not Found"
		})
	})
}

func TestCourierFollowsNoRedirects(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		elsewhere := newReceiver(t, statuses(http.StatusOK))
		rc := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		})
		tr := p.end(rc.URL)
		p.start(p, notify.SenderOptions{})
		p.noted(tr, "refused", failedWith("answered 307 Temporary Redirect, and redirects are not followed"))
		if len(elsewhere.got) > 0 {
			t.Error("it went elsewhere")
		}
	})
}

// One that hangs, one that is not there: the others hear of their ends.
func TestCourierIsNotHeldUp(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		release := make(chan struct{})
		hangs := newReceiver(t, func(int, http.ResponseWriter, *http.Request) { <-release })
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		rc := newReceiver(t, statuses(http.StatusOK))
		p.end(hangs.URL)
		absent, well := p.end(gone.URL+"/secret"), p.end(rc.URL)
		stop := p.start(p, notify.SenderOptions{Timeout: time.Hour})
		p.noted(well, "done", done)
		n := p.noted(absent, "refused", func(n *store.WebhookDelivery) bool { return n.Error != "" && n.DueAt != nil })
		if !strings.Contains(n.Error, "refused") || strings.Contains(n.Error, "secret") {
			t.Errorf("got %q", n.Error)
		}
		close(release)
		stop()
	})
}

func TestCourierWaitsForNoAnswerForEver(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		hangs := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		tr := p.end(hangs.URL)
		p.start(p, notify.SenderOptions{Timeout: 20 * time.Millisecond})
		p.noted(tr, "too slow", failedWith("no answer within 20ms"))
	})
}

func TestCouriersShareTheWork(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
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
			p.end(rc.URL+"/a", rc.URL+"/b")
		}
		for range 3 {
			p.start(p, notify.SenderOptions{})
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

// A courier dies after the receiver has accepted, before that is noted.
func TestDeliveryThatIsNotNotedIsRepeated(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusOK))
		tr := p.end(rc.URL)
		stop := p.start(forgetful{p}, notify.SenderOptions{})
		first := rc.next(t)
		stop()
		p.start(p, notify.SenderOptions{})
		p.noted(tr, "taken", func(n *store.WebhookDelivery) bool { return n.Attempts == 1 && n.DueAt != nil && n.DoneAt == nil })
		p.clock.Advance(30 * time.Second)
		second := rc.next(t)
		p.noted(tr, "done", done)
		if a, b := first.Header.Get(webhook.HeaderID), second.Header.Get(webhook.HeaderID); a == "" || a != b {
			t.Errorf("events %s and %s", a, b)
		}
		if a, b := first.Header.Get("Baler-Delivery"), second.Header.Get("Baler-Delivery"); a != "1" || b != "2" {
			t.Errorf("deliveries %s and %s", a, b)
		}
	})
}

// forgetful is a database that cannot be reached any more when it is to note.
type forgetful struct{ notify.DeliveryStore }

func (forgetful) FinishWebhook(context.Context, int64, string, time.Duration) error {
	return errors.New("the process is dead")
}

// A process that ends with its transfer tells of it.
func TestCourierGoesAroundOnceMore(t *testing.T) {
	onEachStore(t, func(t *testing.T, p *post) {
		t.Helper()
		rc := newReceiver(t, statuses(http.StatusOK))
		asked := make(chan struct{}, 10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		ended := make(chan error, 1)
		go func() {
			ended <- notify.NewSender(asking{p, asked}, notify.SenderOptions{Now: p.clock.Now, PollInterval: time.Hour}).Run(ctx)
		}()
		<-asked // it finds nothing, and rests
		tr := p.end(rc.URL)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("courier: %v", err)
		}
		if notes, err := p.Webhooks(t.Context(), tr.ID); err != nil || len(notes) != 1 || !done(&notes[0]) {
			t.Errorf("not told before it ended: %v, %+v", err, notes)
		}
		if r := rc.next(t); r.Header.Get(webhook.HeaderSignature) != "" {
			t.Error("it is signed without a secret")
		}
	})
}

// asking tells when it has been asked for messages.
type asking struct {
	notify.DeliveryStore

	asked chan<- struct{}
}

func (a asking) DueWebhooks(ctx context.Context, limit int) ([]store.WebhookDelivery, error) {
	notes, err := a.DeliveryStore.DueWebhooks(ctx, limit)
	a.asked <- struct{}{}
	return notes, err
}
