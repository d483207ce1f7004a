package cli

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// reading is the progress of a transfer at one time.
type reading struct {
	at         time.Time
	transfer   string // its id
	files      int64  // registered so far
	bytes      int64  // of these files
	finished   int64
	failed     int64
	steps      int64 // of the recipe
	done       int64 // steps done or never to be done, over all files: files × steps at the end
	sealed     bool  // files is final
	ended      bool
	finalizing string // the current final step and its state; empty before and after
	waitingFor string // why nothing of it runs; empty when something runs, or the reason was not queried
}

func read(t *tasks.Transfer, at time.Time) reading {
	totals, steps := t.Totals(), int64(len(t.Steps))
	finalizing := ""
	if s, ok := t.CurrentFinalizer(); ok {
		finalizing = s.Name + " " + string(s.State)
		if far := progressText(s.Progress); far != "" {
			finalizing += " (" + far + ")"
		}
	}
	return reading{
		at: at, transfer: t.UUID, files: t.Files, bytes: t.Bytes, finished: t.Finished, steps: steps,
		// A file that failed at several steps is one file.
		failed: min(totals.Failures(), t.Files),
		// A file that has finished needs no more steps, even if some steps were not
		// needed. Counting finished files alone would show nothing while all of them
		// are still at their first step.
		done:   max(totals.Total(), t.Finished*steps),
		sealed: t.State == tasks.StateRunning || t.State == tasks.StateFinalizing || t.State.Ended(), ended: t.State.Ended(),
		finalizing: finalizing, waitingFor: t.WaitingFor,
	}
}

// paceWindow is the time over which the rate is measured.
const paceWindow = 10 * time.Second

// progressRate computes the speed of a transfer from the latest readings. The zero
// value is ready for use.
type progressRate struct{ readings []reading }

func (p *progressRate) see(r reading) {
	p.readings = append(p.readings, r)
	for len(p.readings) > 2 && r.at.Sub(p.readings[0].at) > paceWindow {
		p.readings = p.readings[1:]
	}
}

// rate returns the increase of a count per second; ok is false while there are too few
// readings.
func (p *progressRate) rate(of func(reading) int64) (perSecond float64, ok bool) {
	if len(p.readings) < 2 {
		return 0, false
	}
	first, last := p.readings[0], p.readings[len(p.readings)-1]
	took := last.at.Sub(first.at).Seconds()
	if took < 0.5 {
		return 0, false
	}
	return float64(of(last)-of(first)) / took, true
}

// rates are how many files, through all steps, and bytes are done a second.
func (p *progressRate) rates() (files, bytes float64, ok bool) {
	rate, ok := p.rate(done)
	last := p.readings[len(p.readings)-1]
	if !ok || last.files == 0 || last.steps == 0 {
		return 0, 0, false
	}
	files = math.Round(rate/float64(last.steps)*1000) / 1000
	return files, math.Round(files * float64(last.bytes) / float64(last.files)), true
}

// left estimates the remaining time at this rate. It is known only when the number of
// files is final.
func (p *progressRate) left() (time.Duration, bool) {
	rate, ok := p.rate(done)
	last := p.readings[len(p.readings)-1]
	if !ok || !last.sealed || last.ended || last.finalizing != "" || rate <= 0 {
		return 0, false
	}
	return time.Duration(float64(last.files*last.steps-last.done) / rate * float64(time.Second)), true
}

func done(r reading) int64       { return r.done }
func registered(r reading) int64 { return r.files }

// notes returns the text after a bar: percent, rate, time left, failures. While files
// are still being registered, a percentage would mean nothing.
func (p *progressRate) notes() []string {
	last := p.readings[len(p.readings)-1]
	var notes []string
	if last.sealed {
		notes = append(notes, percent(last.done, last.files*last.steps))
	} else {
		notes = append(notes, "scanning")
	}
	if files, bytes, ok := p.rates(); ok && files > 0 && !last.ended && last.finalizing == "" {
		notes = append(notes, perSecond(files))
		if bytes > 0 {
			notes = append(notes, bytesPerSecond(bytes))
		}
	}
	if left, ok := p.left(); ok {
		notes = append(notes, span(left)+" left")
	}
	if last.finalizing != "" {
		notes = append(notes, "finalizing: "+last.finalizing)
	}
	if last.failed > 0 {
		notes = append(notes, count(last.failed)+" failed")
	}
	return notes
}

// barNotes returns the notes, with the reason for waiting before the failures.
func (p *progressRate) barNotes() []string {
	notes := p.notes()
	if why := p.readings[len(p.readings)-1].waitingFor; why != "" {
		return append(notes[:1:1], "waiting for "+printable(why))
	}
	return notes
}

// counted returns the finished and total number of files, or with several steps of
// steps, because all files may be at the first step for long. The percentage refers to
// the same numbers.
func (p *progressRate) counted() string {
	last := p.readings[len(p.readings)-1]
	if last.steps <= 1 || last.finished == last.files {
		return count(last.finished) + " / " + files(last.files)
	}
	return fmt.Sprintf("%s / %s of %s", count(last.done), plural(last.files*last.steps, "step"), files(last.files))
}

// line is a progress report on a line of its own.
func (p *progressRate) line() string {
	line := p.counted() + ", " + strings.Join(p.notes(), ", ")
	if why := p.readings[len(p.readings)-1].waitingFor; why != "" {
		line += "; waiting for " + printable(why)
	}
	return line
}

// counting is a report of a transfer whose files are only registered.
func (p *progressRate) counting() string {
	last := p.readings[len(p.readings)-1]
	s := files(last.files) + " registered"
	if rate, ok := p.rate(registered); ok && !last.sealed {
		s += ", " + perSecond(rate)
	}
	return s
}

// fit joins as many notes as fit into a width. It keeps the last one, failures, before
// those in the middle.
func fit(notes []string, width int) string {
	for len(notes) > 2 && len(strings.Join(notes, "  ")) > width {
		notes = append(notes[:1:1], notes[2:]...)
	}
	return strings.Join(notes, "  ")
}
