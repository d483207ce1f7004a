// Package recorder commits the results of batches to the database, several batches
// at a time.
package recorder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// Options tunes a Recorder. MaxItems and Flushers must be set: their defaults are those
// of the configuration. Other zero fields get the defaults given here.
type Options struct {
	MaxItems int   // results in one transaction
	MaxBytes int64 // of output, facts and emitted files in one transaction: 16 MiB
	Flushers int   // transactions at the same time
	OnFlush  func(reason batcher.Reason, results int, took time.Duration)
	Log      *slog.Logger // nil: discards

	// UUID returns the id under which people know a transfer, for the log.
	UUID func(ctx context.Context, transfer int64) string
}

// Recorder commits the results of this process's batches. Results that arrive during a
// transaction share the next one: under load several batches share a commit, and a
// single batch never waits. While the database is unavailable, the Recorder holds a bounded
// amount and retries.
type Recorder struct {
	store   *store.Store
	batches *batcher.Batcher[*pending]
	log     *slog.Logger
	uuid    func(ctx context.Context, transfer int64) string
	watch   *outage.Watch
	refused *outage.Watch // while the database rejects results whatever they hold
}

// New makes a recorder; Close ends it.
func New(s *store.Store, o Options) *Recorder {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxItems <= 0 || o.Flushers <= 0 {
		panic("recorder: MaxItems and Flushers must be above 0")
	}
	policy := tasks.BatchPolicy{MaxItems: o.MaxItems, MaxBytes: cmp.Or(o.MaxBytes, 16<<20)}
	if o.UUID == nil {
		o.UUID = func(_ context.Context, transfer int64) string { return fmt.Sprintf("number %d", transfer) }
	}
	r := &Recorder{store: s, log: o.Log, uuid: o.UUID, watch: outage.New(o.Log, outage.Database, "record results")}
	// Other results may be accepted meanwhile, and do not end it.
	r.refused = outage.NewPassive(o.Log, outage.Database, "record results that it rejects")
	r.batches = batcher.New(policy, r.flush, batcher.Options[*pending]{
		Weigh: weigh, Capacity: 8 * policy.MaxItems, Flushers: o.Flushers, Eager: true, Observe: o.OnFlush,
	})
	return r
}

// pending is a completion that waits for its transaction, and then has its result.
type pending struct {
	*ledger.BatchCompletion
	result ledger.CompletionResult
}

func weigh(r *pending) (items int, bytes int64) {
	for i := range r.Results {
		bytes += int64(len(r.Results[i].Output) + len(r.Results[i].Error) + len(r.Results[i].Facts) + 500*len(r.Results[i].Emitted))
	}
	return max(len(r.Results), 1), bytes
}

// Record writes one completion and returns when it is committed. The error wraps that of
// ledger.CompletionResult, or is a RejectedError when the database rejects some results.
func (r *Recorder) Record(ctx context.Context, rec *ledger.BatchCompletion) (ledger.CompletionResult, error) {
	p := &pending{BatchCompletion: rec}
	f, err := r.batches.Add(ctx, p)
	if err != nil {
		return ledger.CompletionResult{}, fmt.Errorf("record: %w", err)
	}
	if err := f.Wait(ctx); err != nil { // then a flush may still write to p
		return ledger.CompletionResult{}, fmt.Errorf("record: %w", err)
	}
	return p.result, p.result.Err
}

// Close writes the pending results and ends the recorder. When ctx ends first, the rest
// fails and its batches are released.
func (r *Recorder) Close(ctx context.Context) error {
	if err := r.batches.Close(ctx); err != nil {
		return fmt.Errorf("close recorder: %w", err)
	}
	return nil
}

func (r *Recorder) flush(ctx context.Context, all []*pending) error {
	recs := make([]*ledger.BatchCompletion, len(all))
	for i, p := range all {
		recs[i] = p.BatchCompletion
	}
	done, err := r.persist(ctx, recs)
	for i := range done {
		all[i].result = done[i]
	}
	if err == nil || !db.IsRejected(err) {
		return err
	}
	// One rejected row must not prevent the other results: find it.
	var failed batcher.ItemErrors
	for i, p := range all {
		if p.result, err = r.isolate(ctx, p.BatchCompletion); err != nil {
			failed.Set(i, err)
		}
	}
	if failed.Len() == 0 {
		return nil
	}
	return &failed
}

// persist commits, and retries while the database is unavailable.
func (r *Recorder) persist(ctx context.Context, recs []*ledger.BatchCompletion) ([]ledger.CompletionResult, error) {
	for failures := 1; ; failures++ {
		done, err := r.store.Record(ctx, recs)
		if err == nil {
			r.watch.Answered(ctx)
		}
		if err == nil || db.IsRejected(err) || ctx.Err() != nil {
			return done, err
		}
		_ = r.watch.Failed(ctx, err)
		if ended := sleep.For(ctx, backoff.Delay(200*time.Millisecond, 5*time.Second, failures)); ended != nil {
			return nil, errors.Join(ended, err)
		}
	}
}

// isolate writes a completion in pieces: the results by bisection, to find the row
// that the database rejects and replace it by one that says so, then the rest if there
// was none. When the database rejects that one, too, the cause is not in the result: the
// batch fails, and comes back later for the results that are not recorded yet.
func (r *Recorder) isolate(ctx context.Context, rec *ledger.BatchCompletion) (ledger.CompletionResult, error) {
	results := slices.Clone(rec.Results)
	err := r.bisect(ctx, rec.Batch, results)
	files := rejectedFiles(results)
	switch {
	case err != nil:
		return ledger.CompletionResult{}, err
	case len(files) > 0:
		first := slices.IndexFunc(results, func(res tasks.Result) bool { return isRejected(&res) })
		r.log.WarnContext(ctx, "recorder: the database rejects results", "transfer", r.uuid(ctx, rec.Batch.Transfer),
			"step", rec.Batch.Step, "batch", rec.Batch.ID, "results", len(files), "file", files[0], "error", results[first].Error)
		return ledger.CompletionResult{}, &RejectedError{Files: files, Results: results}
	}
	if rec.FollowUp == nil && len(rec.FailedAttempts) == 0 {
		return ledger.CompletionResult{}, nil
	}
	rest := *rec
	rest.Results = nil
	done, err := r.persistOne(ctx, &rest)
	if db.IsRejected(err) { // a failed attempt: what it wrote is not worth the batch
		r.log.WarnContext(ctx, "recorder: the database rejects the failed attempts", "transfer", r.uuid(ctx, rec.Batch.Transfer),
			"step", rec.Batch.Step, "batch", rec.Batch.ID, "error", err)
		rest.FailedAttempts = nil
		done, err = r.persistOne(ctx, &rest)
	}
	return done, err
}

func (r *Recorder) persistOne(ctx context.Context, rec *ledger.BatchCompletion) (ledger.CompletionResult, error) {
	done, err := r.persist(ctx, []*ledger.BatchCompletion{rec})
	if err != nil {
		return ledger.CompletionResult{}, err
	}
	return done[0], nil
}

func (r *Recorder) bisect(ctx context.Context, b *tasks.Batch, results []tasks.Result) error {
	if len(results) == 0 {
		return nil
	}
	part := &ledger.BatchCompletion{Batch: b, Results: results}
	done, err := r.persistOne(ctx, part)
	if db.IsRejected(err) && len(results) > 1 {
		half := len(results) / 2
		first := r.bisect(ctx, b, results[:half])
		if first != nil && !db.IsRejected(first) {
			return first
		}
		if second := r.bisect(ctx, b, results[half:]); second != nil {
			return second
		}
		return first
	}
	if db.IsRejected(err) {
		results[0] = rejected(&results[0], err)
		done, err = r.persistOne(ctx, part)
		if db.IsRejected(err) {
			return r.refused.Failed(ctx, &refusedError{
				transfer: r.uuid(ctx, b.Transfer), step: b.Step, file: results[0].File, err: err,
			})
		}
	}
	if err != nil {
		return err
	}
	return done.Err
}
