package batcher

import (
	"math"
	"slices"

	"github.com/balerhq/baler/tasks"
)

// plan is what a run of files becomes.
type plan struct {
	batches  []tasks.Batch
	finished int64 // files that no step selects
	to       int64 // number of the last file dealt with
}

// planner cuts registered files into batches. It decides only; it is the pure
// part of the dispatcher and of the aggregator.
type planner struct {
	transfer  int64
	queue     string
	route     func(*tasks.File) int // first step of a file, 0 for none
	policy    func(step int) tasks.BatchPolicy
	budget    func(step int) budget // nil: nothing is estimated
	remaining remaining             // what is left of the transfer, these files among it
	room      int                   // batches that may be cut; 0 means any number
}

// plan deals with files, ascending by number, until the room is used up: a
// batch that has been begun is filled, a further one is not begun.
func (p *planner) plan(files []tasks.File) plan {
	var c plan
	open := make(map[int]*draft) // by step
	begun := 0
	for i := range files {
		f := &files[i]
		step := p.route(f)
		if step == 0 {
			c.finished++
			c.to = f.No
			p.remaining.take(1, f.Size)
			continue
		}
		d := open[step]
		if d == nil || !d.fits(f) {
			if p.room > 0 && begun == p.room {
				break
			}
			begun++
			if d != nil {
				c.batches = append(c.batches, d.batch(p, step))
			}
			d = p.draft(step)
			open[step] = d
		}
		d.add(f)
		c.to = f.No
		p.remaining.take(1, f.Size)
	}
	for _, step := range sortedSteps(open) {
		c.batches = append(c.batches, open[step].batch(p, step))
	}
	return c
}

// PlanBatches cuts files of one step, ascending by number, into first attempts
// within the policy's bounds.
func PlanBatches(e *TransferPlan, step int, files []tasks.File, policy tasks.BatchPolicy) []tasks.Batch {
	p := planner{
		transfer: e.ID, queue: e.Queue,
		route:  func(*tasks.File) int { return step },
		policy: func(int) tasks.BatchPolicy { return policy },
		budget: func(int) budget { return newBudget(e.Estimate(step), policy.Target, remaining{}, 0) },
	}
	return p.plan(files).batches
}

// draft begins a batch.
func (p *planner) draft(step int) *draft {
	d := &draft{policy: p.policy(step), most: math.Inf(1)}
	if p.budget != nil {
		r := p.budget(step)
		d.cost, d.most = r.cost, r.most(p.remaining)
	}
	return d
}

// draft is a batch being filled.
type draft struct {
	policy  tasks.BatchPolicy
	cost    Cost
	most    float64 // that its files may cost together
	numbers []int64
	bytes   int64
}

// fits reports whether a file may come in. Of the time that the batch may take
// it comes as near as whole files let it.
func (d *draft) fits(f *tasks.File) bool {
	if len(d.numbers) == 0 {
		return true
	}
	if d.policy.MaxItems > 0 && len(d.numbers) >= d.policy.MaxItems {
		return false
	}
	if d.policy.MaxBytes > 0 && f.Size > d.policy.MaxBytes-d.bytes {
		return false
	}
	return d.cost.Predict(int64(len(d.numbers)), d.bytes)+d.cost.Predict(1, f.Size)/2 <= d.most*(1+rounding)
}

// rounding keeps sums that should be equal from differing.
const rounding = 1e-9

func (d *draft) add(f *tasks.File) {
	d.numbers = append(d.numbers, f.No)
	d.bytes = saturate(d.bytes, f.Size, math.MaxInt64)
}

func (d *draft) batch(p *planner, step int) tasks.Batch {
	return tasks.Batch{
		Transfer: p.transfer, Step: step, Attempt: 1, Queue: p.queue,
		Files: tasks.NewRanges(d.numbers), Bytes: d.bytes,
	}
}

func sortedSteps(m map[int]*draft) []int {
	steps := make([]int, 0, len(m))
	for s := range m {
		steps = append(steps, s)
	}
	slices.Sort(steps)
	return steps
}
