package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
)

// DeliveryStore is the outbox: messages about transfers that have ended, written
// in the transactions that ended them.
type DeliveryStore interface {
	// DueWebhooks lists up to limit messages whose next attempt is due.
	DueWebhooks(ctx context.Context, limit int) ([]store.WebhookDelivery, error)

	// ClaimWebhook leases a message for one attempt. It reports false when another
	// sender has claimed the message. Without FinishWebhook the message is due again
	// after the lease.
	ClaimWebhook(ctx context.Context, d *store.WebhookDelivery, lease time.Duration) (bool, error)

	// FinishWebhook records the end of an attempt. An empty reason means that the
	// message is delivered; otherwise the attempt failed for that reason, and the
	// next one is due after the delay. A delay of 0 means that there is none.
	FinishWebhook(ctx context.Context, id int64, reason string, delay time.Duration) error

	// NoteStalled writes the messages about transfers that have stood still for a time, and
	// reports how many transfers.
	NoteStalled(ctx context.Context, after time.Duration) (int, error)

	// NoteApprovals writes the messages about transfers that wait for a person's approval, and
	// reports how many.
	NoteApprovals(ctx context.Context) (int, error)

	// PurgeWebhooks deletes some of the old messages that need no more attempts. It
	// reports whether there may be more.
	PurgeWebhooks(ctx context.Context) (more bool, err error)
}

// SenderOptions configure a Sender. Zero fields get the values in the comments.
type SenderOptions struct {
	Secret       string                // signs messages, see webhook.Sign; empty: no signature
	Reach        egress.Policy         // addresses that messages may be sent to; the zero value: public ones
	Mail         MailOptions           // the server that sends mail; the zero value: none
	Templates    Templates             // of the text for people; the zero value: the default ones
	Site         string                // address of the pages, for links; empty: no links
	StallAfter   time.Duration         // how long a transfer stands still before that is told; 0: it is not
	Timeout      time.Duration         // of one attempt: 10 s
	PollInterval time.Duration         // between two queries for due messages: 1 s
	Version      string                // for the User-Agent header
	Metrics      prometheus.Registerer // nil: no metrics
	Log          *slog.Logger          // nil: discards
	Now          func() time.Time      // nil: time.Now

	// UUID returns the id under which people know a transfer, for the log.
	UUID func(ctx context.Context, transfer int64) string

	// Tracer makes a span of each attempt, in the trace that TraceParent names; nil: no traces.
	Tracer      *tracing.Tracer
	TraceParent func(ctx context.Context, transfer int64) string
}

func (o SenderOptions) withDefaults() SenderOptions {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.PollInterval == 0 {
		o.PollInterval = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.UUID == nil {
		o.UUID = func(_ context.Context, transfer int64) string { return fmt.Sprintf("number %d", transfer) }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Templates == (Templates{}) {
		var err error
		if o.Templates, err = NewTemplates("", ""); err != nil {
			panic(err) // they are constants
		}
	}
	return o
}

// Sender delivers messages about transfers that have ended. Each message is
// delivered at least once, under one event ID, unless all attempts of a day fail.
// Any number of senders may share a store.
type Sender struct {
	outbox   DeliveryStore
	poster   httpPoster
	mailer   mailer
	opts     SenderOptions
	attempts *prometheus.CounterVec // by result; nil counts nothing
	database *outage.Watch

	slots   chan struct{} // holds one element for each attempt in progress
	pending sync.WaitGroup
}

const (
	// maxParallel limits the attempts in progress. It is high enough that a few hosts
	// that hang do not delay the messages to others.
	maxParallel = 32

	// leaseSlack is how much longer than an attempt's timeout the lease lasts: time
	// to record the result before another sender takes the message over.
	leaseSlack = 20 * time.Second

	// lastRound limits the attempts that a stopping sender still makes.
	lastRound = 5 * time.Second

	// recordTimeout limits the recording of one result, also while the sender stops.
	recordTimeout = 3 * time.Second
)

// NewSender makes a sender; Run starts it. It panics when another metric has the
// name of its counter.
func NewSender(outbox DeliveryStore, o SenderOptions) *Sender {
	o = o.withDefaults()
	return &Sender{
		outbox: outbox, opts: o, database: outage.New(o.Log, outage.Database, "send webhooks"),
		slots: make(chan struct{}, maxParallel), attempts: newAttemptCounter(o.Metrics),
		poster: httpPoster{client: newClient(o.Reach), secret: o.Secret, agent: "Baler/" + o.Version, timeout: o.Timeout},
		mailer: mailer{MailOptions: o.Mail, agent: "Baler/" + o.Version, timeout: o.Timeout},
	}
}

// errStopped is the reason of an attempt that a stopping sender has ended.
var errStopped = errors.New("the process stopped before there was an answer")

// Run delivers messages until ctx ends, and returns the error of ctx. Before it
// returns it makes one more round of a few seconds, because a process that ends
// with its transfer should still send that transfer's messages. After an
// error of the database it queries again.
func (s *Sender) Run(ctx context.Context) error {
	sending, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	context.AfterFunc(ctx, func() { time.AfterFunc(lastRound, func() { cancel(errStopped) }) })
	defer s.poster.client.CloseIdleConnections()
	defer s.pending.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var purged, looked time.Time
	failures := 0
	for {
		select {
		case <-ctx.Done():
			s.round(sending)
			return ctx.Err()
		case <-timer.C:
		}
		ok := false
		_ = invoke.Guard(ctx, s.opts.Log, "webhooks", func() error { // it is logged, and counts as a failure
			ok = s.round(sending)
			return nil
		})
		if ok {
			failures = 0
			purged, looked = s.purge(ctx, purged), s.noteStalled(ctx, looked)
		} else {
			failures++
		}
		timer.Reset(s.pollDelay(failures))
	}
}

// pollDelay is the time until the next query after that many failed ones in a row:
// the poll interval, then longer and longer.
func (s *Sender) pollDelay(failures int) time.Duration {
	interval := s.opts.PollInterval
	limit := min(64*interval, max(interval, 10*time.Second))
	return backoff.Delay(interval, limit, failures+1)
}

// purgeInterval is the time between two purges; old messages are days old.
const purgeInterval = time.Hour

// purge deletes some old messages when a purge is due. It returns the time of the
// last purge that left none.
func (s *Sender) purge(ctx context.Context, last time.Time) time.Time {
	now := s.opts.Now()
	if now.Sub(last) < purgeInterval {
		return last
	}
	more, err := s.outbox.PurgeWebhooks(ctx)
	if err != nil && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "webhooks: delete old messages; next attempt in an hour", "error", err)
	}
	if more {
		return last
	}
	return now
}

// round starts an attempt for each due message, up to the free slots. It reports
// false after an error of the database.
func (s *Sender) round(ctx context.Context) bool {
	free := cap(s.slots) - len(s.slots)
	if free == 0 {
		return true
	}
	due, err := s.outbox.DueWebhooks(ctx, free)
	if s.database.Done(ctx, err) != nil {
		return false
	}
	for i := range due {
		d := &due[i]
		claimed, err := s.outbox.ClaimWebhook(ctx, d, s.opts.Timeout+leaseSlack)
		if s.database.Done(ctx, err) != nil {
			return false
		}
		if !claimed {
			continue
		}
		d.Attempts++
		s.slots <- struct{}{}
		s.pending.Go(func() {
			defer func() { <-s.slots }()
			_ = invoke.Guard(ctx, s.opts.Log, "webhooks", func() error { // it is logged; the message is due again after its lease
				s.deliver(ctx, d)
				return nil
			})
		})
	}
	return true
}

// deliver makes one attempt and records its result. When the process dies between
// the two, another sender delivers the message again under the same event ID.
func (s *Sender) deliver(ctx context.Context, d *store.WebhookDelivery) {
	err := s.traced(ctx, d)
	next := decideNext(err, d.Attempts, s.opts.Now().Sub(d.CreatedAt))
	s.log(ctx, d, next, err)
	if s.attempts != nil {
		s.attempts.WithLabelValues(string(next.result)).Inc()
	}
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	// The result is recorded also when ctx has been canceled.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := s.outbox.FinishWebhook(ctx, d.ID, reason, next.delay); err != nil {
		s.opts.Log.WarnContext(ctx, "webhooks: record an attempt; the message will be sent again", "event", d.Event, "error", err)
	}
}

// traced makes one attempt in a span. Its attributes name the receiver's host, and no address:
// that may hold a secret.
func (s *Sender) traced(ctx context.Context, d *store.WebhookDelivery) error {
	if !s.opts.Tracer.IsOn() {
		return s.attempt(ctx, d, s.opts.Now())
	}
	ctx, span := s.opts.Tracer.Start(tracing.Continue(ctx, s.opts.TraceParent(ctx, d.TransferID)), "webhook", tracing.Attributes{
		"transfer": s.opts.UUID(ctx, d.TransferID), "event": d.Event, "host": egress.HostOf(d.URL), "attempt": d.Attempts,
	})
	err := s.attempt(ctx, d, s.opts.Now())
	span.EndWith(err)
	return err
}

func (s *Sender) log(ctx context.Context, d *store.WebhookDelivery, next nextAttempt, err error) {
	about := []any{"event", d.Event, "transfer", s.opts.UUID(ctx, d.TransferID), "host", egress.HostOf(d.URL), "attempt", d.Attempts}
	switch next.result {
	case delivered:
		s.opts.Log.DebugContext(ctx, "webhooks: delivered", about...)
	case failed:
		s.opts.Log.WarnContext(ctx, "webhooks: not delivered", append(about, "error", err, "next_in", next.delay)...)
	case givenUp:
		s.opts.Log.ErrorContext(ctx, "webhooks: given up", append(about, "error", err)...)
	}
}

// newAttemptCounter registers the counter of attempts, or returns the one that
// another sender of the process has registered.
func newAttemptCounter(reg prometheus.Registerer) *prometheus.CounterVec {
	if reg == nil {
		return nil
	}
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "baler_webhook_deliveries_total", Help: "Attempts to deliver a webhook, by result.",
	}, []string{"result"})
	err := reg.Register(count)
	if err == nil {
		for _, result := range []deliveryResult{delivered, failed, givenUp} {
			count.WithLabelValues(string(result)) // an increase from nothing would be none
		}
		return count
	}
	if other, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if count, ok := other.ExistingCollector.(*prometheus.CounterVec); ok {
			return count
		}
	}
	panic(fmt.Sprintf("notify: register the counter of webhook deliveries: %v", err)) // another metric has the name
}
