package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/balerhq/baler/tasks"
)

// watch shows a transfer until it has ended: on a terminal in place, elsewhere
// with a line, or an object, a change.
func (p *program) watch(ctx context.Context, b system, id string) error {
	t, live, err := tasks.Transfer{}, false, error(nil)
	if !p.json {
		t, live, err = p.watchLive(ctx, b, id)
	}
	switch {
	case errors.Is(err, errQuit) && t.ID == 0:
		return nil
	case errors.Is(err, errQuit):
		p.printf("%s: %s", stateOf(&t), paceOf(&t))
		return nil
	case live && err == nil:
		p.detail(p.stdout, &t, p.now())
	case !live:
		t, err = p.watchLines(ctx, b, id)
	}
	if err != nil {
		return err
	}
	if !p.json {
		if err := p.reportFailures(ctx, p.stdout, b, &t); err != nil {
			return err
		}
		p.reportDeadline(p.stdout, &t, "")
	}
	return failed(&t)
}

// watchLines shows a line, or an object, a change.
func (p *program) watchLines(ctx context.Context, b system, id string) (tasks.Transfer, error) {
	var pace progressRate
	var timed error
	why := reasons{b: b, files: true}
	see := onChange(why.filesMark, func(t *tasks.Transfer) {
		pace.see(read(t, time.Now()))
		line := pace.line()
		if at := why.filesText(); at != "" {
			line += "; " + at
		}
		p.printf("%s: %s", stateOf(t), line)
	})
	if p.json {
		see = onChange(why.filesMark, func(t *tasks.Transfer) {
			if timed == nil {
				timed = b.ExplainTime(ctx, t)
			}
			s := p.newSummary(t)
			s.RunningFiles = why.running
			_ = p.object(s) // output remembers the error
		})
	}
	t, err := b.Wait(ctx, id, func(t tasks.Transfer) {
		why.add(ctx, &t)
		see(t)
	})
	return t, errors.Join(err, timed)
}

// paceOf is a progress report of one look.
func paceOf(t *tasks.Transfer) string {
	var pace progressRate
	pace.see(read(t, time.Now()))
	return pace.line()
}

// lookForReason is the time between two queries for why a transfer makes no progress.
// They read more rows than queries for the progress.
const lookForReason = 2 * time.Second

// reasons queries why one transfer makes no progress.
type reasons struct {
	b        system
	at       time.Time // of the last query
	finished int64     // at that time
	last     string

	done   int64     // results, when they were counted last
	doneAt time.Time // since when they have been as many

	files   bool // look for files that take long also while results come
	running []tasks.RunningFile
}

// filesText describes the files that take long.
func (r *reasons) filesText() string { return runningSummary(r.running, r.at) }

// filesMark changes when the files that take long come further.
func (r *reasons) filesMark() string {
	var mark strings.Builder
	for i := range r.running {
		fmt.Fprintf(&mark, "%d %s\n", r.running[i].File, progressText(r.running[i].Progress))
	}
	return mark.String()
}

// lookForFiles reads which files take long, where that is of interest.
func (r *reasons) lookForFiles(ctx context.Context, t *tasks.Transfer) {
	r.running = nil
	if t.State.Ended() || !r.files && time.Since(r.doneAt) < silence {
		return
	}
	if now, err := r.b.LiveWork(ctx, *t); err == nil { // an outage: the watch continues
		r.running = now.Files
	}
}

// silence is after how long without a result a transfer that runs is said to wait for one.
const silence = 30 * time.Second

// add sets WaitingFor of the transfer.
func (r *reasons) add(ctx context.Context, t *tasks.Transfer) {
	if now := time.Now(); now.Sub(r.at) >= lookForReason {
		one := []tasks.Transfer{*t}
		if r.b.Explain(ctx, one) != nil {
			return // an outage of the database: the watch continues
		}
		r.at, r.finished, r.last = now, t.Finished, one[0].WaitingFor
		r.lookForFiles(ctx, t)
	}
	if t.State.Ended() {
		r.running = nil
	}
	if t.Finished == r.finished && !t.State.Ended() {
		t.WaitingFor = r.last
	}
	r.noteSilence(t, time.Now())
}

// noteSilence says for how long no file has got a result while nothing is known that keeps the
// transfer: a program may be slow, and a network share may be dead.
func (r *reasons) noteSilence(t *tasks.Transfer, now time.Time) {
	totals := t.Totals()
	if done := totals.Total() + t.Files; done != r.done || r.doneAt.IsZero() {
		r.done, r.doneAt = done, now
	}
	quiet := now.Sub(r.doneAt).Truncate(silence)
	if quiet > 0 && t.WaitingFor == "" && t.State == tasks.StateRunning {
		t.WaitingFor = "results: none has come for " + span(quiet)
		if at := r.filesText(); at != "" && !r.files {
			t.WaitingFor = at
		}
	}
}

// changeEvery is the shortest interval between reported changes; the last change is
// always reported.
const changeEvery = time.Second

func onChange(more func() string, tell func(*tasks.Transfer)) func(tasks.Transfer) {
	var last reading
	var state string
	return func(t tasks.Transfer) {
		now, was := read(&t, last.at), state
		state = stateOf(&t) + t.WaitingFor + more()
		if now == last && state == was {
			return
		}
		if at := time.Now(); t.State.Ended() || state != was || at.Sub(last.at) >= changeEvery {
			last = now
			last.at = at
			tell(&t)
		}
	}
}

// detail shows one transfer with its origin.
func (p *program) detail(w io.Writer, t *tasks.Transfer, now time.Time) {
	p.report(w, t, now)
	p.reportTime(w, t)
	fmt.Fprintln(w)
	fmt.Fprintf(w, "id       %s\n", t.UUID)
	fmt.Fprintf(w, "name     %s\n", quoted(t.Name))
	if t.Key != "" {
		fmt.Fprintf(w, "key      %s\n", quoted(t.Key))
	}
	if len(t.Sources) == 0 {
		fmt.Fprintln(w, "source   a list of paths")
	}
	for i, source := range t.Sources {
		label := "source "
		if i > 0 {
			label = "       "
		}
		fmt.Fprintf(w, "%s  %s\n", label, quoted(source))
	}
	fmt.Fprintf(w, "queue    %s, by %s\n", printable(t.Queue), printable(string(t.Via)))
	if t.Weight > 1 {
		fmt.Fprintf(w, "weight   %d\n", t.Weight)
	}
	if t.StopAfter != (tasks.StopAfter{}) {
		fmt.Fprintf(w, "stops    after %s\n", failureLimit(t.StopAfter))
	}
	if !t.DeadlineAt.IsZero() {
		fmt.Fprintf(w, "deadline %s\n", deadlineOf(t, time.Now()))
	}
	fmt.Fprintf(w, "created  %s\n", local(t.CreatedAt))
	if paused(t) {
		fmt.Fprintf(w, "paused   %s\n", local(t.PausedAt))
	}
	if !t.EndedAt.IsZero() {
		fmt.Fprintf(w, "ended    %s\n", local(t.EndedAt))
	}
}
