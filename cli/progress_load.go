package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// followLoadEvery is the time between two queries for progress. A query reads a row for
// every few megabytes that are loaded.
const followLoadEvery = time.Second

// loadFollower shows the progress of a load while workers run it.
type loadFollower struct {
	b       *baler.Baler
	text    func(string)                           // shows a report
	counts  func(tasks.Transfer, tasks.LoadCounts) // instead of text; may be nil
	close   func()
	started chan tasks.Transfer
	stop    chan struct{}
	ended   sync.WaitGroup
}

// followLoad starts a follower; end ends it.
func (p *program) followLoad(ctx context.Context, b *baler.Baler, quiet bool) *loadFollower {
	f := &loadFollower{b: b, text: func(string) {}, close: func() {}, started: make(chan tasks.Transfer, 1), stop: make(chan struct{})}
	onTerminal := p.canDraw(p.stderr.w)
	switch {
	case quiet:
	case p.json:
		f.counts = func(t tasks.Transfer, c tasks.LoadCounts) {
			p.message(loadProgressObject{"progress", t.UUID, t.Files, c})
		}
	case onTerminal && !p.jsonLog:
		f.showBar(p.stderr)
	default:
		f.lines(p)
	}
	f.ended.Go(func() { f.loop(context.WithoutCancel(ctx)) })
	return f
}

// showBar shows one line at the bottom of a terminal.
func (f *loadFollower) showBar(c *console) {
	var mu sync.Mutex // the line redraws itself on a timer
	shown := "starting"
	progress := mpb.New(mpb.WithOutput(c.w), mpb.WithRefreshRate(100*time.Millisecond))
	bar := progress.New(0, mpb.NopStyle(), mpb.BarFillerTrim(), mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
		mu.Lock()
		defer mu.Unlock()
		return shown
	})))
	c.setBar(progress)
	f.text = func(s string) {
		mu.Lock()
		defer mu.Unlock()
		shown = s
	}
	f.close = func() {
		bar.Abort(false)
		progress.Wait()
		c.setBar(nil)
	}
}

// lines writes a report at intervals, for logs.
func (f *loadFollower) lines(p *program) {
	said := time.Now()
	f.text = func(s string) {
		if now := time.Now(); now.Sub(said) >= linesEvery {
			said = now
			p.notef("%s", s)
		}
	}
}

// begin sets the transfer to follow. It is a Submission.OnCreated.
func (f *loadFollower) begin(t tasks.Transfer) { f.started <- t }

func (f *loadFollower) end() {
	close(f.stop)
	f.ended.Wait()
	f.close()
}

func (f *loadFollower) loop(ctx context.Context) {
	var t tasks.Transfer
	select {
	case t = <-f.started:
	case <-f.stop:
		return
	}
	tick := time.NewTicker(followLoadEvery)
	defer tick.Stop()
	var readings []loadReading
	for {
		select {
		case <-tick.C:
		case <-f.stop:
			return
		}
		now, err := f.b.Transfer(ctx, t.UUID)
		counts, countErr := f.b.LoadCounts(ctx, t)
		if err != nil || countErr != nil {
			continue // the next query may succeed; the worker reports the error
		}
		if f.counts != nil {
			f.counts(now, counts)
			continue
		}
		readings = append(readings, loadReading{time.Now(), counts})
		if n := len(readings) - 1; readings[n].at.Sub(readings[0].at) > paceWindow {
			readings = readings[1:]
		}
		f.text(loadProgress(&now, readings))
	}
}

// loadReading is the progress at one time.
type loadReading struct {
	at     time.Time
	counts tasks.LoadCounts
}

// loadProgress computes the progress and speed of a load.
func loadProgress(t *tasks.Transfer, readings []loadReading) string {
	first, last := readings[0], readings[len(readings)-1]
	s := fmt.Sprintf("%s, %s", plural(last.counts.Lines, "line"), size(last.counts.Bytes))
	if last.counts.Bytes <= t.Bytes { // the content of compressed files is larger than the files
		s += " of " + size(t.Bytes)
	}
	if took := last.at.Sub(first.at).Seconds(); took > 0 {
		s += fmt.Sprintf(", %s lines/s, %s/s", count(int64(float64(last.counts.Lines-first.counts.Lines)/took)),
			size(int64(float64(last.counts.Bytes-first.counts.Bytes)/took)))
	}
	if last.counts.Bad > 0 {
		s += ", " + count(last.counts.Bad) + " rejected"
	}
	return s
}
