package batcher

import (
	"github.com/balerhq/baler/tasks"
)

// PlanUniform plans the files after a number, at most limit of them, from sums of sizes
// alone, while batches that are full by number stay below the other limits. The plan
// equals that of Plan for the same files; a database adds up sizes in a fraction of the
// time that it takes to send them. Every file must go to step 1. An empty plan means
// that Plan must be used. sum returns the bytes of each range, up to the first range
// that lacks a file.
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

// uniformRanges returns the ranges of the batches if only the number of files limits
// them. It returns none when a batch of files of mean size would exceed another limit.
func (p *Planner) uniformRanges(after, files int64) []tasks.Range {
	d := p.draft(1)
	perBatch := int64(d.policy.MaxItems)
	if perBatch <= 0 || files <= 0 {
		return nil
	}
	mean := float64(p.Remaining.Bytes) / float64(max(p.Remaining.Files, 1))
	if n := min(perBatch, files); !d.takes(n, int64(mean*float64(n))) {
		return nil
	}
	var ranges []tasks.Range
	for files > 0 && (p.Room == 0 || len(ranges) < p.Room) {
		n := min(perBatch, files)
		ranges = append(ranges, tasks.Range{First: after + 1, Last: after + n})
		after, files = after+n, files-n
	}
	return ranges
}

// uniformBatches makes batches of the ranges whose bytes are given, up to the first
// range that is too large for one batch.
func (p *Planner) uniformBatches(ranges []tasks.Range, bytes []int64) (plan Plan) {
	for i, sum := range bytes {
		d, n := p.draft(1), ranges[i].Last-ranges[i].First+1
		if !d.takes(n, sum) {
			break
		}
		plan.To = ranges[i].Last
		plan.Batches = append(plan.Batches, tasks.Batch{
			Transfer: p.Transfer, Step: 1, Attempt: 1, Queue: p.Queue, Files: tasks.Ranges{ranges[i]}, Bytes: sum,
		})
		p.Remaining.Take(n, sum)
	}
	return plan
}

// takes reports whether an empty draft takes that many files of that many bytes,
// whatever the size of each file.
func (d *draft) takes(files, bytes int64) bool {
	return (d.policy.MaxBytes <= 0 || bytes <= d.policy.MaxBytes) && d.cost.Predict(files, bytes) <= d.limit
}
