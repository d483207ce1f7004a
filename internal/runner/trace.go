package runner

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/tracing"
)

// trace begins the span of a claimed batch, after those of its time in the queue and of its
// claim. It continues the trace of the message, or of the transfer when the message has
// none. end ends it with the answer to the message.
func (r *batchRun) trace(ctx context.Context, received time.Time) (_ context.Context, end func(error)) {
	t := r.options.Tracer
	if !t.IsOn() {
		return ctx, func(error) {}
	}
	if tracing.Parent(ctx) == "" {
		ctx = tracing.Continue(ctx, r.plan.TraceParent)
	}
	about := tracing.Attributes{
		"transfer": r.plan.UUID, "step": r.plan.Step(r.batch.Step).Name, "handler": r.registration.Name, "batch": r.batch.ID,
		"attempt": r.batch.Attempt, "files": r.batch.Items(), "bytes": r.batch.Bytes, "worker": r.options.Worker,
		"redelivered": r.redelivered,
	}
	waited := max(r.now().Sub(r.queuedAt), 0) - time.Since(received)
	_, queued := t.StartAt(ctx, "queue", received.Add(-max(waited, 0)), "", about)
	queued.EndAt(received)
	ctx, span := t.Consume(ctx, "batch "+r.plan.Step(r.batch.Step).Name, received, r.plan.TraceParent, about)
	_, claim := t.StartAt(ctx, "claim", received, "", nil)
	claim.End("")
	return ctx, func(err error) {
		span.Set(r.outcomes())
		if err != nil {
			span.End("the batch returns to the queue")
			return
		}
		span.End("")
	}
}

// outcomes counts the jobs by their verdicts.
func (r *batchRun) outcomes() tracing.Attributes {
	counts := make(tracing.Attributes)
	for _, j := range r.jobs {
		name := string(j.Result().Outcome)
		if name == "" {
			name = "open"
		}
		n, _ := counts[name].(int)
		counts[name] = n + 1
	}
	return counts
}
