package bench

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/tasks"
)

// PipelineOptions configure Pipeline. All fields are required.
type PipelineOptions struct {
	Files   []int // sizes of transfers; the last is the one that baselines and targets go by
	Via     []tasks.Via
	Workers []int
	Batches []int // files in a batch
	Repeat  int
}

// The baselines are slow: they get a share of the files, and asynq's aggregation
// no more than it works on in twenty seconds.
const (
	perFileShare   = 20
	perFileMost    = 20_000
	asynqGroupMost = 2000
)

// A handler that computes gets fewer files, of zeros.
const (
	computeShare = 1000
	computeFew   = 8
	computeMost  = 64
	computeSize  = 16 << 20
)

// pipeline is one run of Pipeline.
type pipeline struct {
	env    *Env
	o      PipelineOptions
	report func(Measurement) error
	sizes  []tree
	small  tree // of the per-file variant
	tiny   tree // of the asynq-group variant
	heavy  tree // of the handler that computes
}

// Pipeline measures files a second, from before the scan to the last result,
// against the limit and the baselines, all ways in turn and that several times.
// Report is told of each measurement.
func (p *Env) Pipeline(ctx context.Context, o PipelineOptions, report func(Measurement) error) error {
	r := &pipeline{env: p, o: o, report: report}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	for i := range o.Repeat {
		if err := r.round(ctx, i+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *pipeline) prepare(ctx context.Context) (err error) {
	for _, n := range r.o.Files {
		t, err := r.env.emptyTree(ctx, n)
		if err != nil {
			return err
		}
		r.sizes = append(r.sizes, t)
	}
	whole := r.sizes[len(r.sizes)-1]
	r.small, r.tiny = whole, whole
	r.small.files = min(max(1, whole.files/perFileShare), perFileMost)
	r.tiny.files = min(whole.files, asynqGroupMost)
	if !r.computes() {
		return nil
	}
	r.heavy, err = grow(ctx, r.env.path("heavy"), min(max(computeFew, whole.files/computeShare), computeMost), computeSize)
	return err
}

// computes: whether two workers compute faster than one can be told.
func (r *pipeline) computes() bool {
	return slices.Contains(r.o.Workers, 1) && slices.Contains(r.o.Workers, 2)
}

func (r *pipeline) round(ctx context.Context, repeat int) error {
	say := func(format string, args ...any) {
		r.env.o.Say("[%d/%d] "+format, append([]any{repeat, r.o.Repeat}, args...)...)
	}
	best := make(map[int]float64) // by size
	for _, t := range r.sizes {
		var err error
		if best[t.files], err = r.env.limits(ctx, t, repeat, say, r.report); err != nil {
			return err
		}
	}
	whole := r.sizes[len(r.sizes)-1].files
	tell := func(m Measurement, err error) error {
		if err != nil {
			return err
		}
		m.Repeat = repeat
		if limit := cmp.Or(best[m.Files], best[whole]); m.Variant != VariantCPU && limit > 0 {
			m.RatioToLimit = m.FilesPerSecond / limit
		}
		return r.report(m)
	}
	say("per-file, files %d", r.small.files)
	if err := tell(r.env.perFile(ctx, r.small)); err != nil {
		return err
	}
	say("asynq-group, files %d", r.tiny.files)
	if err := tell(r.env.asynqGroup(ctx, r.tiny)); err != nil {
		return err
	}
	for _, c := range r.combinations() {
		say("%s, files %d, workers %d, batch %d", c.variant, c.tree.files, c.workers, c.batch)
		if err := tell(r.env.baler(ctx, c)); err != nil {
			return err
		}
	}
	return nil
}

// combination is one way to set Baler up.
type combination struct {
	variant Variant
	via     tasks.Via
	tree    tree
	handler string
	with    string
	batch   int
	workers int
	env     []string
}

func (r *pipeline) combinations() []combination {
	var all []combination
	for _, via := range r.o.Via {
		for _, workers := range r.o.Workers {
			for _, batch := range r.o.Batches {
				for _, t := range r.sizes {
					all = append(all, combination{variant: Variant(via), via: via, tree: t, handler: "noop", batch: batch, workers: workers})
				}
			}
		}
	}
	if !r.computes() {
		return all
	}
	for _, workers := range []int{1, 2} {
		all = append(all, combination{
			variant: VariantCPU, via: tasks.ViaBulk, tree: r.heavy, handler: "checksum", with: "{algorithms: [md5, sha512]}",
			batch: 1, workers: workers, env: []string{"GOMAXPROCS=1"},
		})
	}
	return all
}

// baler measures the real program.
func (p *Env) baler(ctx context.Context, c combination) (m Measurement, err error) {
	s, err := p.startCluster(ctx, c.workers, c.env...)
	if err != nil {
		return m, err
	}
	defer func() { err = joinClose(err, s.close) }()
	recipe, err := p.recipe(c.handler, c.batch, c.with)
	if err != nil {
		return m, err
	}
	meter := newMeter(s.pids())
	sum, err := s.submit(ctx, meter, c.tree, recipe, c.via)
	used := meter.end()
	if err != nil {
		return m, err
	}
	return measured(c.variant, c.tree.files, c.batch, c.workers, time.Duration(sum.Seconds*float64(time.Second)), used), nil
}
