package batcher

import (
	"github.com/balerhq/baler/tasks"
)

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
