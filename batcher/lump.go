package batcher

import (
	"context"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// planUniform cuts the next files of a backlog into batches that are known by the sum
// of their sizes alone, as long as full batches stay below the other bounds:
// then the plan is what it would be file by file, and the database adds sizes
// up in a fraction of the time in which it hands them over. Every file must go
// to the first step. An empty cut says that the files must be looked at.
func (d *Dispatcher) planUniform(ctx context.Context, b *ledger.Backlog, limit int, p *Planner) (Plan, error) {
	spans := p.UniformRanges(b.Cursor, min(int64(limit), p.Remaining.Files))
	if len(spans) == 0 {
		return Plan{}, nil
	}
	bytes, err := d.store.SumSizes(ctx, b.Transfer, spans)
	if err != nil {
		return Plan{}, err
	}
	return p.UniformBatches(spans, bytes), nil
}

// UniformRanges are the batches that the next files would become if only their number
// mattered; none when, by the mean of what is left, more than that does.
func (p *Planner) UniformRanges(after, files int64) []tasks.Range {
	d := p.draft(1)
	most := int64(d.policy.MaxItems)
	if most <= 0 || files <= 0 {
		return nil
	}
	mean := float64(p.Remaining.Bytes) / float64(max(p.Remaining.Files, 1))
	if n := min(most, files); !d.takes(n, int64(mean*float64(n))) {
		return nil
	}
	var spans []tasks.Range
	for files > 0 && (p.Room == 0 || len(spans) < p.Room) {
		n := min(most, files)
		spans = append(spans, tasks.Range{First: after + 1, Last: after + n})
		after, files = after+n, files-n
	}
	return spans
}

// UniformBatches makes batches of the spans whose bytes are given, up to the first that
// is too much for one.
func (p *Planner) UniformBatches(spans []tasks.Range, bytes []int64) (c Plan) {
	for i, sum := range bytes {
		d, n := p.draft(1), spans[i].Last-spans[i].First+1
		if !d.takes(n, sum) {
			break
		}
		c.To = spans[i].Last
		c.Batches = append(c.Batches, tasks.Batch{
			Transfer: p.Transfer, Step: 1, Attempt: 1, Queue: p.Queue, Files: tasks.Ranges{spans[i]}, Bytes: sum,
		})
		p.Remaining.Take(n, sum)
	}
	return c
}

// takes reports whether an empty draft would take so many files of so many
// bytes, however they are spread.
func (d *draft) takes(files, bytes int64) bool {
	return (d.policy.MaxBytes <= 0 || bytes <= d.policy.MaxBytes) && d.cost.Predict(files, bytes) <= d.most
}
