package bench

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// BatchOptions configure Batch. All fields are required.
type BatchOptions struct {
	Files   int // most of them; batches of few files get fewer, see batchFiles
	Batches []int
	Workers []int
	Repeat  int
}

// Batches of one file are a hundred times slower than batches of a thousand. To keep the
// time of a curve to minutes, each point gets the files of so many batches, but enough to
// measure a rate.
const (
	batchesMost = 2000
	batchFew    = 2000
)

// batchFiles returns the number of files for batches of a size.
func (o *BatchOptions) batchFiles(batch int) int {
	return min(o.Files, max(batchFew, batch*batchesMost))
}

// Batch measures files per second with bulk, for each batch size and number of workers, and
// the limit, all in turn and several times.
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
					variant: VariantBulk, via: tasks.ViaBulk, tree: trees[o.batchFiles(batch)], handler: "noop", batch: batch, workers: workers,
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

// KneePoint returns the smallest batch size that reaches a share of the best rate of a
// number of workers, and the best batch size.
func KneePoint(rows []MeasurementSummary, workers int, share float64) (knee, best MeasurementSummary) {
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
