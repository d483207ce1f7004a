package bench

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// BatchOptions say what Batch measures. All are needed.
type BatchOptions struct {
	Files   int // most of them; batches of few files get fewer, see batchFiles
	Batches []int
	Workers []int
	Repeat  int
}

// Batches of one file go a hundred times slower than those of a thousand. So
// that a curve takes minutes, each point gets as many files as make so many
// batches, but not fewer than fit a rate.
const (
	batchesMost = 2000
	batchFew    = 2000
)

// batchFiles is how many files are measured in batches of a size.
func (o *BatchOptions) batchFiles(batch int) int {
	return min(o.Files, max(batchFew, batch*batchesMost))
}

// Batch measures files a second by the bulk way over batch sizes and numbers of
// workers, and the limit beside them, all in turn and that several times.
func (p *Env) Batch(ctx context.Context, o BatchOptions, report func(Measurement) error) error {
	trees := make(map[int]tree) // by number of files
	for _, batch := range o.Batches {
		n := o.batchFiles(batch)
		if _, made := trees[n]; made {
			continue
		}
		t, err := p.emptyTree(ctx, n)
		if err != nil {
			return err
		}
		trees[n] = t
	}
	whole, err := p.emptyTree(ctx, o.Files)
	if err != nil {
		return err
	}
	for repeat := range o.Repeat {
		say := func(format string, args ...any) {
			p.o.Say("[%d/%d] "+format, append([]any{repeat + 1, o.Repeat}, args...)...)
		}
		best, err := p.limits(ctx, whole, repeat+1, say, report)
		if err != nil {
			return err
		}
		for _, workers := range o.Workers {
			for _, batch := range o.Batches {
				say("workers %d, batch %d", workers, batch)
				m, err := p.baler(ctx, combination{
					way: VariantBulk, via: tasks.ViaBulk, tree: trees[o.batchFiles(batch)], handler: "noop", batch: batch, workers: workers,
				})
				if err != nil {
					return err
				}
				m.Repeat, m.RatioToLimit = repeat+1, m.FilesPerSecond/best
				if err := report(m); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// KneePoint is the smallest batch of a number of workers that reaches a share of
// their best rate, and the batch that is the best.
func KneePoint(rows []Result, workers int, share float64) (knee, best Result) {
	for i := range rows {
		if r := rows[i]; r.Variant == VariantBulk && r.Workers == workers && r.FilesPerSecond > best.FilesPerSecond {
			best = r
		}
	}
	for i := range rows {
		r := rows[i]
		if r.Variant != VariantBulk || r.Workers != workers || r.FilesPerSecond < share*best.FilesPerSecond {
			continue
		}
		if knee.Batch == 0 || r.Batch < knee.Batch {
			knee = r
		}
	}
	return knee, best
}
