package cli

import (
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// display shows the progress of a transfer. Its methods are called one after the other;
// end comes last.
type display interface {
	show(r reading)
	end()
}

// newDisplay chooses the display for standard error: a bar for people, lines for logs,
// objects for programs. A transfer that is only registered has counts, but no bar.
func (p *program) newDisplay(quiet, counting bool) display {
	if quiet {
		return noProgress{}
	}
	if p.json {
		return &objectProgress{p: p}
	}
	if p.canDraw(p.stderr.w) && !p.jsonLog {
		return newBar(p.stderr, counting)
	}
	return &lineProgress{p: p, counting: counting}
}

type noProgress struct{}

func (noProgress) show(reading) {}
func (noProgress) end()         {}

// linesEvery is the interval of progress lines in a log.
const linesEvery = 5 * time.Second

// lineProgress prints lines at intervals, and one at the end if the progress has changed
// since.
type lineProgress struct {
	p        *program
	counting bool
	pace     progressRate
	said     reading
	latest   reading
}

func (l *lineProgress) show(r reading) {
	l.pace.see(r)
	l.latest = r
	if l.said.at.IsZero() {
		l.said.at = r.at // the first report comes after some time, not with 0 files
	}
	if r.at.Sub(l.said.at) >= linesEvery {
		l.say()
	}
}

func (l *lineProgress) say() {
	l.said = l.latest
	if l.counting {
		l.p.notef("%s", l.pace.counting())
		return
	}
	l.p.notef("%s", l.pace.line())
}

func (l *lineProgress) end() {
	last := l.latest
	last.at = l.said.at
	if last != l.said {
		l.say()
	}
}

// barProgress is a progress bar at the bottom of a terminal.
type barProgress struct {
	console  *console
	counting bool
	progress *mpb.Progress
	bar      *mpb.Bar

	mu     sync.Mutex // the bar redraws itself on a timer
	pace   progressRate
	latest reading
}

func newBar(c *console, counting bool) *barProgress {
	b := &barProgress{console: c, counting: counting}
	b.progress = mpb.New(mpb.WithOutput(c.w), mpb.WithRefreshRate(100*time.Millisecond))
	style := mpb.BarFillerBuilder(mpb.BarStyle().Lbound(" [").Filler("=").Tip(">").Padding("-").Rbound("] "))
	if counting {
		style = mpb.NopStyle()
	}
	b.bar = b.progress.New(0, style, mpb.BarFillerTrim(),
		mpb.PrependDecorators(decor.Any(b.before)), mpb.AppendDecorators(decor.Any(b.behind)))
	c.setBar(b.progress)
	return b
}

func (b *barProgress) before(decor.Statistics) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case len(b.pace.readings) == 0:
		return "starting"
	case b.counting:
		return b.pace.counting()
	}
	return b.pace.counted()
}

// narrowest is the minimal width of the bar itself.
const narrowest = 12

func (b *barProgress) behind(s decor.Statistics) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counting || len(b.pace.readings) == 0 {
		return ""
	}
	return fit(b.pace.barNotes(), s.AvailableWidth-narrowest)
}

func (b *barProgress) show(r reading) {
	b.mu.Lock()
	b.pace.see(r)
	b.latest = r
	b.mu.Unlock()
	b.bar.SetTotal(r.files*r.steps, false)
	b.bar.SetCurrent(r.done)
}

func (b *barProgress) end() {
	b.mu.Lock()
	last := b.latest
	b.mu.Unlock()
	if last.files > 0 && last.finished == last.files {
		b.bar.SetTotal(last.files*last.steps, true)
	} else {
		b.bar.Abort(last.files == 0)
	}
	b.progress.Wait()
	b.console.setBar(nil)
}
