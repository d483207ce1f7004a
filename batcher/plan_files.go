package batcher

import (
	"math"
	"slices"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/tasks"
)

// Plan is what a run of files becomes.
type Plan struct {
	Batches  []tasks.Batch
	Finished int64 // files that no step selects
	To       int64 // number of the last file dealt with
}

// Planner cuts registered files into batches. It decides only; it is the pure
// part of the dispatcher and of the aggregator.
type Planner struct {
	Transfer  int64
	Queue     string
	Route     func(*tasks.File) int // first step of a file, 0 for none
	Policy    func(step int) tasks.BatchPolicy
	Budget    func(step int) Budget // nil: nothing is estimated
	Remaining Remaining             // what is left of the transfer, these files among it
	Room      int                   // batches that may be cut; 0 means any number
}

// Plan deals with files, ascending by number, until the room is used up: a
// batch that has been begun is filled, a further one is not begun.
func (p *Planner) Plan(files []tasks.File) Plan {
	var c Plan
	open := make(map[int]*draft) // by step
	begun := 0
	for i := range files {
		f := &files[i]
		step := p.Route(f)
		if step == 0 {
			c.Finished++
			c.To = f.No
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
				c.Batches = append(c.Batches, d.batch(p, step))
			}
			d = p.draft(step)
			open[step] = d
		}
		d.add(f)
		c.To = f.No
		p.Remaining.Take(1, f.Size)
	}
	for _, step := range sortedSteps(open) {
		c.Batches = append(c.Batches, open[step].batch(p, step))
	}
	return c
}

// draft begins a batch.
func (p *Planner) draft(step int) *draft {
	d := &draft{policy: p.Policy(step), most: math.Inf(1)}
	if p.Budget != nil {
		r := p.Budget(step)
		d.cost, d.most = r.cost, r.most(p.Remaining)
	}
	return d
}

// draft is a batch being filled.
type draft struct {
	policy  tasks.BatchPolicy
	cost    cost.Cost
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
