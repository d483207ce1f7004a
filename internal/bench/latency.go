package bench

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/tasks"
)

// LatencyOptions configure Latency. All fields are required.
type LatencyOptions struct {
	Via     []tasks.Via
	Loads   []int           // percent of the capacity
	Delays  []time.Duration // values of group.max_delay, for files by group; none: that of the settings
	Seconds int             // how long files come at each load
	Files   int             // number of files for measuring the capacity
	Batch   int
	Repeat  int
}

const (
	watchedAtOnce = 200              // files at most, for the capacity
	singleShare   = 100              // divisor of the number of files when each is a transfer, for the capacity
	drainTime     = 2 * time.Minute  // time to finish the remaining files after the last one has come
	drainPerFile  = time.Millisecond // additional time per file
	latencyConns  = 2
)

// Latency measures the time from when a file is due until other connections see its
// result, at several shares of the capacity, which it measures first. Files come at even
// intervals, however late earlier ones are. It calls report with each measurement.
func (p *Env) Latency(ctx context.Context, o LatencyOptions, report func(Latency) error) error {
	p.o.Say("Making %d empty files.", o.Files)
	t, err := growTree(ctx, p.path("tree"), o.Files)
	if err != nil {
		return err
	}
	for repeat := range o.Repeat {
		for _, c := range o.combinations(p.o.Config.Group.MaxDelay) {
			l := &latencies{env: p, o: o, tree: t, via: c.via, delay: c.delay, report: func(m Latency) error {
				m.Repeat = repeat + 1
				return report(m)
			}}
			l.say = func(format string, args ...any) {
				p.o.Say("[%d/%d] %s, "+format, append([]any{repeat + 1, o.Repeat, c}, args...)...)
			}
			if err := l.round(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// latencyCombination is one variant, with the delay of groups.
type latencyCombination struct {
	via   tasks.Via
	delay time.Duration // 0 for bulk
}

func (c latencyCombination) String() string {
	if c.delay == 0 {
		return string(c.via)
	}
	return fmt.Sprintf("%s within %s", c.via, c.delay)
}

func (o *LatencyOptions) combinations(usual time.Duration) (all []latencyCombination) {
	for _, via := range o.Via {
		switch {
		case via != tasks.ViaGroup:
			all = append(all, latencyCombination{via: via})
		case len(o.Delays) == 0:
			all = append(all, latencyCombination{via, usual})
		default:
			for _, delay := range o.Delays {
				all = append(all, latencyCombination{via, delay})
			}
		}
	}
	return all
}

// latencies measures one variant once, on a system of its own.
type latencies struct {
	env    *Env
	o      LatencyOptions
	tree   tree
	via    tasks.Via
	delay  time.Duration
	feed   feed
	db     *sql.DB
	say    func(format string, args ...any)
	report func(Latency) error
}

func (l *latencies) round(ctx context.Context) (err error) {
	var env []string
	if l.delay > 0 { // of the producer, which is this process, and of the worker
		l.env.o.Config.Group.MaxDelay = l.delay
		env = append(env, "BALER_GROUP_MAX_DELAY="+l.delay.String())
	}
	s, err := l.env.startCluster(ctx, 1, env...)
	if err != nil {
		return err
	}
	defer func() { err = joinClose(err, s.close) }()
	path, err := l.env.recipe("noop", l.o.Batch, "")
	if err != nil {
		return err
	}
	r, err := s.b.Recipe(ctx, path)
	if err != nil {
		return err
	}
	if l.db, err = l.env.connect(l.env.databaseURL, latencyConns); err != nil {
		return err
	}
	defer func() { err = joinClose(err, l.db.Close) }()
	l.feed = feed{s: s, tree: l.tree, recipe: r}
	capacity, err := l.capacity(ctx)
	if err != nil {
		return err
	}
	for _, percent := range l.o.Loads {
		if err := l.level(ctx, capacity, percent); err != nil {
			return err
		}
	}
	return nil
}

// capacity measures the files per second when all come at once.
func (l *latencies) capacity(ctx context.Context) (float64, error) {
	n := l.o.Files
	if l.via == tasks.ViaBulk {
		n = max(lanes, n/singleShare)
	}
	l.say("capacity, files %d", n)
	a := atOnce(n, watchedAtOnce)
	samples, err := l.run(ctx, &a)
	if err != nil {
		return 0, err
	}
	return sustained(n, a.begin, samples), nil
}

func (l *latencies) level(ctx context.Context, capacity float64, percent int) error {
	a := arriving(capacity*float64(percent)/100, l.o.Seconds)
	l.say("load %d %%, files %d", percent, a.files)
	begun := readHost()
	samples, err := l.run(ctx, &a)
	if err != nil {
		return err
	}
	m := latency(samples, a.rate)
	m.Stolen, m.Delay = readHost().stolenSince(begun), l.delay.Milliseconds()
	m.Variant, m.Load, m.Capacity, m.Files = Variant(l.via), percent, capacity, a.files
	return l.report(m)
}

// run submits the files, and returns when the watched ones are finished.
func (l *latencies) run(ctx context.Context, a *arrivals) ([]sample, error) {
	patience := a.span() + drainTime + time.Duration(a.files)*drainPerFile
	outer, cancel := context.WithTimeoutCause(ctx, patience,
		fmt.Errorf("files by %s have no results after %s%s", l.via, patience.Round(time.Second), l.feed.s.logs()))
	defer cancel()
	send := l.feed.byGroup
	if l.via == tasks.ViaBulk {
		send = l.feed.byBulk
	}
	w := newWatch(l.db)
	g, ctx := errgroup.WithContext(outer)
	g.Go(func() error {
		defer w.last()
		return send(ctx, a, w)
	})
	g.Go(func() error { return w.run(ctx) })
	if err := g.Wait(); err != nil {
		return nil, withCause(outer, err)
	}
	return w.seen, nil
}
