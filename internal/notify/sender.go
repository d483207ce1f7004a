package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/store"
)

// DeliveryStore is what a Courier needs from the store: messages about ends of
// transfers, written in the transactions that ended them.
type DeliveryStore interface {
	// DueWebhooks lists messages that should be delivered now.
	DueWebhooks(ctx context.Context, limit int) ([]store.WebhookDelivery, error)

	// ClaimWebhook takes a message for one delivery, which nobody else gets until
	// again has passed. It reports false when somebody was faster.
	ClaimWebhook(ctx context.Context, n *store.WebhookDelivery, again time.Duration) (bool, error)

	// FinishWebhook notes a delivery as done, when there is no reason, or else as
	// failed for that reason, to be tried again after again; never when that is 0.
	FinishWebhook(ctx context.Context, id int64, reason string, again time.Duration) error

	// PurgeWebhooks deletes some of those that were done with long ago. It
	// reports whether there may be more.
	PurgeWebhooks(ctx context.Context) (more bool, err error)
}

// SenderOptions tune a Courier. Zero fields take the values said.
type SenderOptions struct {
	Secret       string                // signs messages, see VerifySignature; empty: no signature
	Client       *http.Client          // nil: one that follows no redirects
	Timeout      time.Duration         // of one delivery: 10 s
	PollInterval time.Duration         // how often to look for messages: 1 s
	Version      string                // named to receivers: "dev"
	Metrics      prometheus.Registerer // nil: counts for nobody
	Log          *slog.Logger          // nil: discards
	Now          func() time.Time      // nil: time.Now
}

func (o SenderOptions) withDefaults() SenderOptions {
	if o.Client == nil {
		o.Client = newClient()
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.PollInterval == 0 {
		o.PollInterval = time.Second
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Sender delivers messages about ends of transfers to the URLs that want to
// know. Each is delivered at least once, under one event ID, unless a whole day
// of tries fails. Any number of couriers share the work.
type Sender struct {
	notes DeliveryStore
	post  httpPoster
	opts  SenderOptions
	count *prometheus.CounterVec // nil counts nothing

	slots  chan struct{} // one for each delivery under way
	inHand sync.WaitGroup
}

const (
	// maxParallel bounds deliveries under way: enough that a few hosts that hang do
	// not hold up the others.
	atOnce = 32

	// leaseSlack is what noting a delivery may take, after which another courier
	// believes that this one has died.
	leaseSlack = 20 * time.Second

	// lastRound bounds how long a courier that is to stop still delivers.
	lastRound = 5 * time.Second

	// noteWithin bounds noting a delivery while the courier stops.
	noteWithin = 3 * time.Second
)

// NewSender makes a courier; Run starts it.
func NewSender(notes DeliveryStore, o SenderOptions) *Sender {
	o = o.withDefaults()
	return &Sender{
		notes: notes, opts: o, slots: make(chan struct{}, atOnce), count: countDeliveries(o.Metrics),
		post: httpPoster{client: o.Client, secret: o.Secret, agent: "Baler/" + o.Version, timeout: o.Timeout},
	}
}

// errCut is the reason of a delivery that outlived its courier.
var errCut = errors.New("the process stopped before there was an answer")

// Run delivers until ctx ends, whose error it returns. What is due then gets one
// more round of some seconds: a process that works on one transfer and ends
// should tell of it. Errors of the database are logged, and it is asked again.
func (c *Sender) Run(ctx context.Context) error {
	working, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	context.AfterFunc(ctx, func() { time.AfterFunc(lastRound, func() { cut(errCut) }) })
	defer c.opts.Client.CloseIdleConnections()
	defer c.inHand.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var purged time.Time
	failures := 0
	for {
		select {
		case <-ctx.Done():
			c.round(working)
			return ctx.Err()
		case <-timer.C:
		}
		if c.round(working) {
			failures = 0
			purged = c.purge(ctx, purged)
		} else {
			failures++
		}
		timer.Reset(min(c.opts.PollInterval<<min(failures, 6), max(c.opts.PollInterval, 10*time.Second)))
	}
}

// purgeEvery is how often old messages are looked for: they are days old.
const purgeEvery = time.Hour

// purge deletes some old messages when it is time to, and gives when it last
// found no more.
func (c *Sender) purge(ctx context.Context, last time.Time) time.Time {
	now := c.opts.Now()
	if now.Sub(last) < purgeEvery {
		return last
	}
	more, err := c.notes.PurgeWebhooks(ctx)
	if err != nil && ctx.Err() == nil {
		c.opts.Log.WarnContext(ctx, "webhooks: old messages stay for another hour", "error", err)
	}
	if more {
		return last
	}
	return now
}

// round starts to deliver what is due, as far as there is room. It reports
// false when the database does not answer.
func (c *Sender) round(ctx context.Context) bool {
	room := cap(c.slots) - len(c.slots)
	if room == 0 {
		return true
	}
	due, err := c.notes.DueWebhooks(ctx, room)
	if err != nil {
		c.opts.Log.WarnContext(ctx, "webhooks: trying again", "error", err)
		return false
	}
	for i := range due {
		n := &due[i]
		taken, err := c.notes.ClaimWebhook(ctx, n, c.opts.Timeout+leaseSlack)
		if err != nil {
			c.opts.Log.WarnContext(ctx, "webhooks: trying again", "event", n.Event, "error", err)
			return false
		}
		if !taken {
			continue
		}
		n.Attempts++
		c.slots <- struct{}{}
		c.inHand.Go(func() {
			defer func() { <-c.slots }()
			c.deliver(ctx, n)
		})
	}
	return true
}

// deliver makes one try and notes what came of it. When the process dies in
// between, the message is delivered again under the same event ID.
func (c *Sender) deliver(ctx context.Context, n *store.WebhookDelivery) {
	err := c.post.send(ctx, n, c.opts.Now())
	p := planAfter(err, n.Attempts, c.opts.Now().Sub(n.CreatedAt))
	c.log(ctx, n, p, err)
	if c.count != nil {
		c.count.WithLabelValues(string(p.result)).Inc()
	}
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	// Canceled or not, what came of it has to be noted.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	if err := c.notes.FinishWebhook(ctx, n.ID, reason, p.again); err != nil {
		c.opts.Log.WarnContext(ctx, "webhooks: a delivery could not be noted, so there will be another", "event", n.Event, "error", err)
	}
}

func (c *Sender) log(ctx context.Context, n *store.WebhookDelivery, p nextAttempt, err error) {
	about := []any{"event", n.Event, "transfer", n.TransferID, "host", hostOf(n.URL), "try", n.Attempts}
	switch p.result {
	case delivered:
		c.opts.Log.DebugContext(ctx, "webhooks: delivered", about...)
	case failed:
		c.opts.Log.WarnContext(ctx, "webhooks: not delivered", append(about, "error", err, "again_in", p.again)...)
	case givenUp:
		c.opts.Log.ErrorContext(ctx, "webhooks: given up", append(about, "error", err)...)
	}
}

// hostOf is all of a URL that a log may tell: paths of webhooks are secrets.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// countDeliveries counts tries. Couriers of one process share the counter.
func countDeliveries(reg prometheus.Registerer) *prometheus.CounterVec {
	if reg == nil {
		return nil
	}
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "baler_webhook_deliveries_total", Help: "Tries to tell a webhook of a transfer's end, by what came of them.",
	}, []string{"result"})
	err := reg.Register(count)
	if err == nil {
		return count
	}
	if there, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if count, ok := there.ExistingCollector.(*prometheus.CounterVec); ok {
			return count
		}
	}
	panic(fmt.Sprintf("web: register the count of webhook deliveries: %v", err)) // another metric has the name
}
