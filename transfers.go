package baler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/walltime"
	"github.com/balerhq/baler/tasks"
)

// Transfer reads a transfer with its live counters by its UUID. It returns
// tasks.ErrTransferNotFound for an unknown id, and a *tasks.DeletedError for the id of
// a deleted transfer.
func (b *Baler) Transfer(ctx context.Context, id string) (tasks.Transfer, error) {
	t, err := b.store.Transfer(ctx, id)
	b.watch.Correct(&t, false)
	return t, err
}

// Transfers lists up to limit transfers with a number below before, newest first;
// before 0 starts at the newest.
func (b *Baler) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	return b.store.Transfers(ctx, before, limit)
}

// LatestTransfer is the reference to the newest transfer.
const LatestTransfer = "latest"

// ErrEmptyRef is the error for a reference to a transfer without any text.
var ErrEmptyRef = errors.New("the id of the transfer is empty; give its number, id or name, or latest")

// candidates is how many transfers an AmbiguousError names.
const candidates = 10

// AmbiguousError is the error of FindTransfer when several transfers fit.
type AmbiguousError struct {
	Ref        string
	Candidates []tasks.Transfer // the newest that fit
	More       bool             // older ones fit too
}

func (e *AmbiguousError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q fits several transfers; give the number of one, or more of its id:", e.Ref)
	for _, t := range e.Candidates {
		fmt.Fprintf(&b, "\n%d  %s  %s  %s  %q", t.ID, t.UUID, t.CreatedAt.UTC().Format("2006-01-02T15:04:05Z"), t.State, t.Name)
	}
	if e.More {
		b.WriteString("\n… and older ones")
	}
	return b.String()
}

// FindTransfer reads a transfer by its id or the beginning of the id, its number, its
// name, or LatestTransfer. The error is tasks.ErrTransferNotFound when none fits, a
// *tasks.DeletedError when it was deleted, and an *AmbiguousError when several fit.
func (b *Baler) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	if ref == "" {
		return tasks.Transfer{}, ErrEmptyRef
	}
	if ref == LatestTransfer {
		return b.latestTransfer(ctx)
	}
	found, err := b.store.FindTransfers(ctx, ref, candidates+1)
	switch {
	case err != nil:
		return tasks.Transfer{}, err
	case len(found) == 0:
		return tasks.Transfer{}, b.store.NotFound(ctx, ref)
	case len(found) == 1:
		return found[0], nil
	}
	for _, t := range found {
		if t.UUID == ref { // another one may have it as its name
			return t, nil
		}
	}
	shown := found[:min(len(found), candidates)]
	return tasks.Transfer{}, &AmbiguousError{Ref: ref, Candidates: shown, More: len(found) > len(shown)}
}

func (b *Baler) latestTransfer(ctx context.Context) (tasks.Transfer, error) {
	newest, err := b.store.Transfers(ctx, 0, 1)
	if err != nil {
		return tasks.Transfer{}, err
	}
	if len(newest) == 0 {
		return tasks.Transfer{}, fmt.Errorf("%w: there are no transfers yet", tasks.ErrTransferNotFound)
	}
	return newest[0], nil
}

// askQueueTime is how long Explain waits for Redis.
const askQueueTime = time.Second

// Explain sets WaitingFor of transfers of which nothing runs. It also reads the state of
// a queue on a server; if the server accepts no messages, that is a reason and no error.
func (b *Baler) Explain(ctx context.Context, transfers []tasks.Transfer) error {
	all, err := b.waiting(ctx, transfers)
	if err != nil {
		return err
	}
	for i := range all {
		transfers[i].WaitingFor = all[i].Text
	}
	return nil
}

// ExplainTime sets WallTime of a transfer. It reads a row for each step and worker.
func (b *Baler) ExplainTime(ctx context.Context, t *tasks.Transfer) error {
	times, err := b.store.WorkTimes(ctx, t.ID)
	if err != nil {
		return err
	}
	t.WallTime = walltime.Of(t, times, b.store.Now())
	return nil
}

// waiting says what each transfer waits for. It returns nothing when all have ended.
func (b *Baler) waiting(ctx context.Context, transfers []tasks.Transfer) ([]ledger.Waiting, error) {
	if !slices.ContainsFunc(transfers, func(t tasks.Transfer) bool { return !t.State.Ended() }) {
		return nil, nil
	}
	around, err := b.surroundings(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]ledger.Waiting, len(transfers))
	for i := range transfers {
		all[i] = around.Waiting(&transfers[i])
	}
	return all, nil
}

func (b *Baler) surroundings(ctx context.Context) (around ledger.Surroundings, err error) {
	if around, err = b.store.Surroundings(ctx); err != nil {
		return around, err
	}
	around.WriteError = outage.Failing(b.log, outage.Database)
	around.PausedQueues, around.QueueFault, err = b.askQueue(ctx)
	return around, err
}

// askQueue returns the paused queues, and why Redis accepts no messages, if it takes none. It
// does not read an embedded queue, which is in the memory of the process that works.
func (b *Baler) askQueue(ctx context.Context) (paused []string, fault string, err error) {
	u, err := config.ParseRedis(b.cfg.Redis.URL)
	if err != nil || u.Mode == config.Embedded {
		return nil, "", nil // the code that connects reports the error
	}
	conn := b.queue
	if conn == nil { // opened by OpenStore
		if conn, err = queue.Connect(b.cfg.Redis, nil); err != nil {
			return nil, "", err
		}
		defer func() { _ = conn.Close() }() // nothing was written
	}
	ask, cancel := context.WithTimeout(ctx, askQueueTime)
	defer cancel()
	if fault = conn.Fault(ask); fault != "" {
		return nil, fault, ctx.Err()
	}
	queues, err := conn.Stats(ask)
	if err != nil {
		return nil, "", ctx.Err() // which queues are paused stays unknown
	}
	for i := range queues {
		if queues[i].Paused {
			paused = append(paused, queues[i].Name)
		}
	}
	return paused, "", nil
}
