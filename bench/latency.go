package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// LatencyOptions say what Latency measures. All are needed.
type LatencyOptions struct {
	Samples int // of each way at each load
	Files   int // that the capacity is measured with
	Batch   int
}

// Latency is how long one file takes from being submitted to its result being
// visible. It is a line of the JSON output.
type Latency struct {
	Type    string  `json:"type"` // always "latency"
	Way     Way     `json:"way"`
	Load    float64 `json:"load"` // what other files were submitted meanwhile, as a share of the capacity
	Samples int     `json:"samples"`
	Min     float64 `json:"min_seconds"`
	Median  float64 `json:"median_seconds"`
	P99     float64 `json:"p99_seconds"`
	Max     float64 `json:"max_seconds"`
}

const (
	halfLoad     = 0.5
	seeEvery     = time.Millisecond // how often the result is looked for
	sampleTime   = 30 * time.Second // how long it may take
	latencyConns = 2
)

// Latency measures single files, each in a transfer of its own, on an idle
// system and on one that is kept about half as busy as it can be.
func (p *Place) Latency(ctx context.Context, o LatencyOptions, report func(Latency) error) (err error) {
	p.o.Say("Making %d empty files.", o.Files)
	t, err := growTree(ctx, p.path("tree"), o.Files)
	if err != nil {
		return err
	}
	s, err := p.system(ctx, 1)
	if err != nil {
		return err
	}
	defer func() { err = joinClose(err, s.close) }()
	path, err := p.recipe("noop", o.Batch, "")
	if err != nil {
		return err
	}
	r, err := s.b.Recipe(ctx, path)
	if err != nil {
		return err
	}
	db, err := connect(p.databaseURL, latencyConns)
	if err != nil {
		return err
	}
	defer func() { err = joinClose(err, db.Close) }()
	l := &latencies{s: s, db: db, recipe: r, path: t.path(0), samples: o.Samples, report: report}
	l.loaded = func() float64 { return 0 }
	if err := l.both(ctx); err != nil {
		return err
	}
	p.o.Say("Measuring the capacity with %d files, for half of it as a load.", o.Files)
	meter := newMeter(nil)
	sum, err := s.submit(ctx, meter, t, path, tasks.ViaBulk)
	meter.end()
	if err != nil {
		return err
	}
	load := s.load(ctx, t, r, sum.FilesPerSecond*halfLoad)
	l.loaded = func() float64 { return float64(load.files.Load()) / sum.FilesPerSecond }
	return errors.Join(l.both(ctx), load.end())
}

// latencies takes samples on one system.
type latencies struct {
	s       *system
	db      *sql.DB
	recipe  *recipe.Recipe
	path    string
	samples int
	loaded  func() float64 // seconds of full work that were submitted so far
	report  func(Latency) error
}

func (l *latencies) both(ctx context.Context) error {
	for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
		l.s.place.o.Say("%d files by %s, one after the other.", l.samples, via)
		began, before := time.Now(), l.loaded()
		took := make([]float64, l.samples)
		for i := range took {
			d, err := l.sample(ctx, via)
			if err != nil {
				return err
			}
			took[i] = d.Seconds()
		}
		load := (l.loaded() - before) / time.Since(began).Seconds()
		err := l.report(Latency{
			Type: "latency", Way: Way(via), Load: load, Samples: l.samples,
			Min: quantile(took, 0), Median: median(took), P99: quantile(took, 0.99), Max: quantile(took, 1),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sample submits one file and looks for its result.
func (l *latencies) sample(ctx context.Context, via tasks.Via) (time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, sampleTime, fmt.Errorf("a file by %s has no result after %s", via, sampleTime))
	defer cancel()
	began := time.Now()
	t, _, err := l.s.b.Submit(ctx, baler.Submission{
		List: strings.NewReader(l.path + "\n"), Recipe: l.recipe, Via: via, Queue: queue, Name: "sample",
	})
	if err != nil {
		return 0, cause(ctx, err)
	}
	for {
		var n int
		if err := l.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM results WHERE transfer_id = ?", t.ID).Scan(&n); err != nil {
			return 0, fmt.Errorf("look for the result: %w", cause(ctx, err))
		}
		if n > 0 {
			return time.Since(began), nil
		}
		if err := pause(ctx, seeEvery); err != nil {
			return 0, cause(ctx, err)
		}
	}
}
