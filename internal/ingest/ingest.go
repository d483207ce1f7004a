// Package ingest registers the files of transfers: it collects what a submission
// names, finds what has changed since an earlier run, writes rows of files in order
// and in bulk, and sends one message a file where a transfer goes by group.
package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/tasks"
)

// Options says what an Ingester works with. All of it is needed but where a
// default is said.
type Options struct {
	Store     *store.Store
	Producer  *queue.Producer
	Transfers *dispatch.TransferCache
	Log       *slog.Logger

	GroupLimit int           // messages of files that wait in the queue before registering waits
	GroupDelay time.Duration // how long a file that goes by group waits for others; 0: no shorter than by bulk
	StateDir   string        // is never scanned
	Objects    Objects       // nil: no object storage
	Webhooks   []string      // addresses that are told of every transfer
	Events     []string      // of what webhooks are told; none: of everything
	Reach      egress.Policy // of the URLs of submissions

	Tracer *tracing.Tracer // nil: no traces

	// OnCreate is called with each transfer that is created; may be nil.
	OnCreate func(t tasks.Transfer)
}

// Ingester registers files of any number of transfers. Make one with New. It is
// safe for concurrent use.
type Ingester struct {
	store     *store.Store
	producer  *queue.Producer
	transfers *dispatch.TransferCache
	log       *slog.Logger
	tracer    *tracing.Tracer

	groupLimit   int64
	groupDelay   time.Duration
	stateDir     string
	objects      Objects
	siteWebhooks []string
	events       []string
	reach        egress.Policy
	onCreate     func(tasks.Transfer)
}

// New makes an Ingester.
func New(o Options) *Ingester {
	return &Ingester{
		store: o.Store, producer: o.Producer, transfers: o.Transfers, log: o.Log, tracer: o.Tracer,
		groupLimit: int64(o.GroupLimit), groupDelay: o.GroupDelay,
		stateDir: o.StateDir, objects: o.Objects, siteWebhooks: o.Webhooks, events: o.Events, reach: o.Reach, onCreate: o.OnCreate,
	}
}

// create writes a transfer, unless one has its idempotency key.
func (g *Ingester) create(ctx context.Context, n store.NewTransfer) (t tasks.Transfer, created bool, err error) {
	t, created, err = g.store.Create(ctx, n)
	if err == nil && created && g.onCreate != nil {
		g.onCreate(t)
	}
	return t, created, err
}
