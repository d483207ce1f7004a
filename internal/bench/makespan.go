package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Makespan is the time of a transfer whose files take a known time, compared with the ideal
// time of its workers. It is a line of the JSON output.
type Makespan struct {
	Type    string  `json:"type"` // always "makespan"
	Work    string  `json:"work"` // the kinds of files and their order
	Files   int     `json:"files"`
	Workers int     `json:"workers"` // each with one slot
	Ideal   float64 `json:"ideal_seconds"`
	Seconds float64 `json:"seconds"` // from the submission to the transfer's end
	Ratio   float64 `json:"ratio"`   // of the two
	Repeat  int     `json:"repeat"`
}

// makespanOfIdeal is the design's target.
const makespanOfIdeal = 1.15

// Sizes of files for short and for long work.
const (
	thumbnail = 10 << 10
	video     = 50 << 20
)

// work is files that take a known time.
type work struct {
	name    string
	files   int
	size    func(i int) int64
	workers int
	policy  string // of the batches, as in a recipe
	takes   fakeHandler
}

// MakespanOptions configure Makespan. All fields are required.
type MakespanOptions struct {
	Thumbnails int // number of thumbnails; there is a video for every 500
	Repeat     int
}

// works returns the kinds of work to measure.
func works(thumbnails int) []work {
	const ratio = 500
	videos := max(1, thumbnails/ratio)
	all := []work{{
		name: "9 videos", files: 9, size: func(int) int64 { return video }, workers: 3,
		policy: "{max_items: 128}", takes: fakeHandler{PerFile: "0s", PerMiB: "20ms"},
	}}
	orders := []struct {
		name  string
		video func(i int) bool
	}{
		{"videos first", func(i int) bool { return i < videos }},
		{"videos last", func(i int) bool { return i >= thumbnails }},
		{"videos between", func(i int) bool { return i%(ratio+1) == ratio/2 }},
	}
	for _, o := range orders {
		all = append(all, work{
			name: fmt.Sprintf("%d thumbnails, %d videos, %s", thumbnails, videos, o.name), files: thumbnails + videos,
			size: func(i int) int64 {
				if o.video(i) {
					return video
				}
				return thumbnail
			},
			workers: 2, policy: "{max_items: 1000, target: 1s}", takes: fakeHandler{PerFile: "900us", PerMiB: "10ms"},
		})
	}
	return all
}

// Makespan measures how evenly work is shared, each kind several times, by workers that have
// not learned the costs yet. It calls report with each measurement.
func (p *Env) Makespan(ctx context.Context, o MakespanOptions, report func(Makespan) error) error {
	all := works(o.Thumbnails)
	trees := make([]tree, len(all))
	for i := range all {
		var err error
		if trees[i], err = all[i].grow(ctx, p.path("work-"+strconv.Itoa(i))); err != nil {
			return err
		}
	}
	for r := range o.Repeat {
		for i := range all {
			p.o.Say("[%d/%d] %s", r+1, o.Repeat, all[i].name)
			m, err := p.makespan(ctx, &all[i], trees[i])
			if err != nil {
				return err
			}
			m.Repeat = r + 1
			if err := report(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// grow makes the files, which are sparse.
func (w *work) grow(ctx context.Context, root string) (tree, error) {
	t := tree{root, w.files}
	for i := range w.files {
		err := os.MkdirAll(filepath.Dir(t.path(i)), 0o700)
		if err == nil {
			err = touch(t.path(i), w.size(i))
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return t, fmt.Errorf("make files: %w", err)
		}
	}
	return t, nil
}

// ideal returns the shortest time in which the workers could do the work.
func (w *work) ideal() time.Duration {
	sum := time.Duration(0)
	for i := range w.files {
		sum += w.takes.of(w.size(i))
	}
	return sum / time.Duration(w.workers)
}

func (p *Env) makespan(ctx context.Context, w *work, t tree) (m Makespan, err error) {
	if err := w.takes.parse(); err != nil {
		return m, err
	}
	s, err := p.startCluster(ctx, 0, "BALER_WORKER_CONCURRENCY=1", "BALER_WORKER_SLOTS=1")
	if err != nil {
		return m, err
	}
	defer func() { err = joinClose(err, s.close) }()
	s.command = []string{"bench", "worker"}
	if err := s.work(ctx, w.workers); err != nil {
		return m, err
	}
	recipe := p.path("recipe-" + pretend + ".yaml")
	text := fmt.Sprintf("name: bench\nsteps:\n  - handler: %s\n    batch: %s\n    with: {per_file: %s, per_mib: %s}\n",
		pretend, w.policy, w.takes.PerFile, w.takes.PerMiB)
	if err := os.WriteFile(recipe, []byte(text), 0o600); err != nil {
		return m, fmt.Errorf("write recipe: %w", err)
	}
	meter := newMeter(nil)
	sum, err := s.submit(ctx, meter, t, recipe, tasks.ViaBulk)
	meter.end()
	if err != nil {
		return m, err
	}
	ideal := w.ideal().Seconds()
	return Makespan{
		Type: "makespan", Work: w.name, Files: w.files, Workers: w.workers,
		Ideal: ideal, Seconds: sum.Seconds, Ratio: sum.Seconds / ideal,
	}, nil
}

// SummarizeMakespans returns the median of each kind of work, in the order of their first
// repeats, and whether each meets the design's target.
func SummarizeMakespans(all []Makespan) (medians []Makespan, targets []Target) {
	byWork := make(map[string][]float64)
	for _, m := range all {
		if byWork[m.Work] == nil {
			medians = append(medians, m)
		}
		byWork[m.Work] = append(byWork[m.Work], m.Seconds)
	}
	for i := range medians {
		m := &medians[i]
		m.Seconds = median(byWork[m.Work])
		m.Ratio = m.Seconds / m.Ideal
		targets = append(targets, Target{"target", "makespan of the ideal, " + m.Work, makespanOfIdeal, m.Ratio, m.Ratio <= makespanOfIdeal})
	}
	return medians, targets
}
