package batcher

import (
	"math"
	"slices"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/tasks"
)

// Plan says into which batches a sequence of files is divided.
type Plan struct {
	Batches  []tasks.Batch
	Finished int64 // files that no step selects
	To       int64 // number of the last planned file
}

// Planner divides registered files into batches. It reads and writes nothing; it is
// the pure part of the dispatcher and of the aggregator.
type Planner struct {
	Transfer  int64
	Queue     string
	Route     func(*tasks.File) int // first step of a file, 0 for none
	Policy    func(step int) tasks.BatchPolicy
	Budget    func(step int) Budget // nil: no limits by estimated cost
	Remaining Remaining             // of the transfer, including these files
	Room      int                   // how many batches may be made; 0 means any number
}

// Plan plans files, which ascend by number, until one needs a further batch and there
// is no room for it.
func (p *Planner) Plan(files []tasks.File) Plan {
	var plan Plan
	open := make(map[int]*draft) // by step
	begun := 0
	for i := range files {
		f := &files[i]
		step := p.Route(f)
		if step == 0 {
			plan.Finished++
			plan.To = f.No
			p.Remaining.Take(1, f.Size)
			continue
		}
		d := open[step]
		if d == nil || !d.fits(f) {
			if p.Room > 0 && begun == p.Room {
				break
			}
			begun++
			if d != nil {
				plan.Batches = append(plan.Batches, d.batch(p, step))
			}
			d = p.draft(step)
			open[step] = d
		}
		d.add(f)
		plan.To = f.No
		p.Remaining.Take(1, f.Size)
	}
	for _, step := range sortedSteps(open) {
		plan.Batches = append(plan.Batches, open[step].batch(p, step))
	}
	return plan
}

// draft begins a batch.
func (p *Planner) draft(step int) *draft {
	d := &draft{policy: p.Policy(step), limit: math.Inf(1)}
	if p.Budget != nil {
		budget := p.Budget(step)
		d.cost, d.limit = budget.cost, budget.limit(p.Remaining)
	}
	return d
}

// draft is a batch that still takes files.
type draft struct {
	policy  tasks.BatchPolicy
	cost    cost.Cost
	limit   float64 // what its files may cost together
	numbers []int64
	bytes   int64
}

// fits reports whether a file fits into the batch. The estimated cost of a full batch
// comes as close to the limit as whole files allow.
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
	return d.cost.Predict(int64(len(d.numbers)), d.bytes)+d.cost.Predict(1, f.Size)/2 <= d.limit*(1+rounding)
}

// rounding is the tolerance for rounding errors when sums are compared.
const rounding = 1e-9

func (d *draft) add(f *tasks.File) {
	d.numbers = append(d.numbers, f.No)
	d.bytes = saturate(d.bytes, f.Size, math.MaxInt64)
}

func (d *draft) batch(p *Planner, step int) tasks.Batch {
	return tasks.Batch{
		Transfer: p.Transfer, Step: step, Attempt: 1, Queue: p.Queue,
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
