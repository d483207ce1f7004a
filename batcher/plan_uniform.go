package batcher

import (
	"github.com/balerhq/baler/tasks"
)

// PlanUniform plans the files behind a number, limit at most, by sums of sizes
// alone, as long as full batches stay below the other bounds. The plan is the one
// that looking at each file would give, and a database adds sizes up in a fraction
// of the time that it takes to send them. Every file must go to step 1. An empty
// plan says that the files must be looked at. Sum gives the bytes of each range,
// up to the first that lacks a file.
func (p *Planner) PlanUniform(after, limit int64, sum func([]tasks.Range) ([]int64, error)) (Plan, error) {
	ranges := p.uniformRanges(after, min(limit, p.Remaining.Files))
	if len(ranges) == 0 {
		return Plan{}, nil
	}
	bytes, err := sum(ranges)
	if err != nil {
		return Plan{}, err
	}
	return p.uniformBatches(ranges, bytes), nil
}

// uniformRanges are the batches that the next files would become if only their number
// mattered; none when, by the mean of what is left, more than that does.
func (p *Planner) uniformRanges(after, files int64) []tasks.Range {
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

// uniformBatches makes batches of the spans whose bytes are given, up to the first that
// is too much for one.
func (p *Planner) uniformBatches(spans []tasks.Range, bytes []int64) (c Plan) {
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
