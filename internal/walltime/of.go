package walltime

import (
	"cmp"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// asOld is how old the words of a worker are at most that is alive: two heartbeats.
const asOld = 10 * time.Second

// Of adds up what the workers have said about a transfer. At each moment in which workers
// took part, the average over them counts. It returns nil when the transfer has ended and no
// worker has said anything.
func Of(t *tasks.Transfer, times []ledger.WorkTime, now time.Time) *tasks.WallTime {
	if len(times) == 0 && t.State.Ended() {
		return nil
	}
	c := cover(times, t.CreatedAt)
	w := &tasks.WallTime{Took: tasks.Elapsed(t, now)}
	tail := w.Took - c.until
	if !t.State.Ended() && len(times) > 0 && tail < asOld && t.PausedAt.IsZero() && t.State != tasks.StateFinalizing {
		w.Took, tail = min(w.Took, c.until), 0 // what happens since then, the next heartbeats say
	}
	tail = max(tail, 0)

	// The weights of the parts: what workers said, scaled to the time in which some took part.
	steps := make([]tasks.TimeByPart, len(t.Steps)+1) // the last: of no step
	none := &steps[len(t.Steps)]
	var said, handlers time.Duration
	for i := range times {
		said += times[i].Parts.Sum()
		handlers += times[i].Handlers
	}
	for i := range times {
		at := times[i].Step - 1
		if at < 0 || at >= len(t.Steps) {
			at = len(t.Steps)
		}
		for p, d := range times[i].Parts {
			if d > 0 {
				steps[at][p] += time.Duration(float64(d) / float64(said) * float64(c.covered))
			}
		}
	}
	none[tasks.TimeNoWorker] += max(c.until-c.covered, 0)
	addTail(none, t, tail, now)
	scale(steps, w.Took.Round(time.Millisecond))
	w.Took = w.Took.Round(time.Millisecond)

	for i := range t.Steps {
		w.Steps = append(w.Steps, tasks.StepWallTime{Step: t.Steps[i].Name, Parts: steps[i]})
	}
	for i := range steps {
		for p, d := range steps[i] {
			w.Parts[p] += d
		}
	}
	w.Workers, w.Slots = workersOf(times)
	if w.Took > 0 {
		w.HandlersAtOnce = handlers.Seconds() / w.Took.Seconds()
	}
	return w
}

// coverage is the time of a transfer in which workers took part, from its creation.
type coverage struct {
	until   time.Duration // the end of the last worker's part
	covered time.Duration // in which at least one took part
}

func cover(times []ledger.WorkTime, created time.Time) (c coverage) {
	sorted := slices.Clone(times)
	slices.SortFunc(sorted, func(a, b ledger.WorkTime) int { return a.From.Compare(b.From) })
	for i := range sorted {
		from, until := max(sorted[i].From.Sub(created), 0), max(sorted[i].Until.Sub(created), 0)
		if until <= max(c.until, from) { // also when a clock was set back
			continue
		}
		c.covered += until - max(from, c.until)
		c.until = until
	}
	return c
}

// addTail says what the time since the last batch is.
func addTail(none *tasks.TimeByPart, t *tasks.Transfer, tail time.Duration, now time.Time) {
	if !t.PausedAt.IsZero() && !t.State.Ended() {
		paused := min(max(now.Sub(t.PausedAt), 0), tail)
		none[tasks.TimePaused] += paused
		tail -= paused
	}
	part := tasks.TimeNoBatch
	switch _, gated := t.AwaitsApproval(); {
	case len(t.Finalizers) > 0 && (t.State == tasks.StateFinalizing || t.State == tasks.StateCompleted):
		part = tasks.TimeFinalSteps
	case gated && !t.State.Ended():
		part = tasks.TimeApproval
	case !t.State.Ended() && isOut(t):
		part = tasks.TimeQueue
	}
	none[part] += tail
}

// isOut reports whether files of a transfer are in batches that have not ended.
func isOut(t *tasks.Transfer) bool {
	for i := range t.Steps {
		if t.Steps[i].Selected > t.Steps[i].Total() {
			return true
		}
	}
	return false
}

// scale makes the parts whole milliseconds that add up to a sum.
func scale(steps []tasks.TimeByPart, whole time.Duration) {
	type cell struct {
		step, part int
		lost       float64
	}
	var sum float64
	for i := range steps {
		sum += float64(steps[i].Sum())
	}
	if sum == 0 {
		steps[len(steps)-1][tasks.TimeNoBatch] = whole
		return
	}
	var cells []cell
	left := whole
	for i := range steps {
		for p, d := range steps[i] {
			if d <= 0 {
				continue
			}
			exact := float64(d) / sum * float64(whole)
			steps[i][p] = time.Duration(exact).Truncate(time.Millisecond)
			left -= steps[i][p]
			cells = append(cells, cell{i, p, exact - float64(steps[i][p])})
		}
	}
	slices.SortStableFunc(cells, func(a, b cell) int { return cmp.Compare(b.lost, a.lost) })
	for _, c := range cells {
		if left < time.Millisecond {
			return
		}
		steps[c.step][c.part] += time.Millisecond
		left -= time.Millisecond
	}
}

// workersOf counts the workers, and adds up their slots.
func workersOf(times []ledger.WorkTime) (workers, slots int) {
	of := make(map[string]int)
	for i := range times {
		of[times[i].Worker] = max(of[times[i].Worker], times[i].Slots)
	}
	for _, n := range of {
		slots += n
	}
	return len(of), slots
}
