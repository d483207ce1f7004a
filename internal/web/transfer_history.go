package web

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// How much of its history the page of a transfer shows.
const (
	shownSlots      = 2160 // of time: six hours
	shownBatches    = 150  // that ended
	shownWaiting    = 150  // that did not
	shownSlowest    = 8
	shownDeliveries = 10
)

// workingItem is a worker and what it runs.
type workingItem struct{ Name, On string }

type slowItem struct{ Path, Step, Took, Href string }

type eventItem struct {
	At   moment
	Text string

	at time.Time
}

// history reads what a transfer did and does.
func (p *transferPage) history(ctx context.Context, v *transferView, t *tasks.Transfer, activity []ledger.Activity, now time.Time) error {
	h := p.opts.History
	did, err := p.changes(ctx, t, v.Whole)
	if err != nil {
		return err
	}
	if h == nil {
		v.Events = eventsOf(t, did, nil, now)
		return nil
	}
	past, err := h.PastBatches(ctx, t.ID, shownBatches)
	if err != nil {
		return err
	}
	var open []ledger.OpenBatch
	if !t.State.Ended() {
		if open, err = h.WaitingBatches(ctx, t.ID, shownWaiting); err != nil {
			return err
		}
	}
	steps := stepNames(t)
	if isShort(activity, past) {
		v.Results, v.Bytes = ratesOfBatches(past)
	}
	v.Gantt, v.Sizes = ganttOf(past, open, steps, now), sizesOf(past)
	v.working(t, open, steps)
	sent, err := h.Deliveries(ctx, t.ID, shownDeliveries)
	if err != nil {
		return err
	}
	v.Events = eventsOf(t, did, sent, now)
	return p.slowest(ctx, v, t, steps)
}

// working says what each worker is on, and draws what runs in the lanes.
func (v *transferView) working(t *tasks.Transfer, open []ledger.OpenBatch, steps map[int]string) {
	running := make(map[int]int64)
	on := make(map[string]map[int]int64)
	for i := range open {
		b := &open[i]
		if b.HeldBy == "" {
			continue
		}
		running[b.Step] += int64(b.Items)
		if on[b.HeldBy] == nil {
			on[b.HeldBy] = make(map[int]int64)
		}
		on[b.HeldBy][b.Step] += int64(b.Items)
	}
	for i := range v.Lanes {
		v.Lanes[i] = laneOf(t, &t.Steps[i], running)
	}
	for _, name := range slices.Sorted(maps.Keys(on)) {
		text := ""
		for _, step := range slices.Sorted(maps.Keys(on[name])) {
			if text != "" {
				text += ", "
			}
			text += quantity(int64(int(on[name][step])), "file") + " of " + steps[step]
		}
		v.Working = append(v.Working, workingItem{visible(name), text})
	}
}

func (p *transferPage) slowest(ctx context.Context, v *transferView, t *tasks.Transfer, steps map[int]string) error {
	if p.opts.Files == nil {
		return nil
	}
	slow, err := p.opts.History.SlowBatches(ctx, t.ID, shownSlowest)
	if err != nil || len(slow) == 0 {
		return err
	}
	numbers := make([]int64, len(slow))
	for i := range slow {
		numbers[i] = slow[i].Slowest
	}
	files, err := p.opts.Files.FilesByNumber(ctx, t.ID, tasks.NewRanges(numbers))
	if err != nil {
		return err
	}
	paths := make(map[int64]string, len(files))
	for i := range files {
		paths[files[i].No] = files[i].Path
	}
	for i := range slow {
		b := &slow[i]
		if b.SlowestTook < 10*time.Millisecond {
			continue // none was slow
		}
		v.Slowest = append(v.Slowest, slowItem{
			Path: visible(paths[b.Slowest]), Step: steps[b.Step], Took: forPeople(b.SlowestTook), Href: fileLink(t, b.Slowest),
		})
	}
	return nil
}

func fileLink(t *tasks.Transfer, no int64) string {
	return "/transfers/" + t.UUID + "/files/" + strconv.FormatInt(no, 10)
}

// eventsOf lists what happened to a transfer, in order.
func eventsOf(t *tasks.Transfer, did []change, sent []ledger.Delivery, now time.Time) []eventItem {
	var events []eventItem
	add := func(at time.Time, format string, args ...any) {
		if !at.IsZero() {
			events = append(events, eventItem{momentOf(at, now), visible(fmt.Sprintf(format, args...)), at})
		}
	}
	words := changeWords()
	submitted := false
	for i := range did {
		if did[i].action == submitAction {
			if submitted {
				continue // the same request, sent again
			}
			submitted = true
		}
		add(did[i].at, "%s %s", words[did[i].action], did[i].by)
	}
	if !submitted {
		add(t.CreatedAt, "submitted")
	}
	add(t.SealedAt, "sealed with %s", quantity(t.Files, "file"))
	paused := "paused by a person"
	if t.Trouble != "" {
		paused = "paused by Baler: " + t.Trouble
	}
	if t.Stopped != "" && did != nil {
		paused = "" // its line in the audit log says it
	}
	if paused != "" && !t.State.Ended() && (t.Trouble != "" || lately(did, pauseAction, t.PausedAt) == nil) {
		add(t.PausedAt, "%s", paused)
	}
	add(t.EndedAt, "%s", endOf(t))
	for i := range sent {
		d := &sent[i]
		host := egress.HostOf(d.URL) // its path and user may be secret
		switch {
		case !d.DoneAt.IsZero() && d.Error == "":
			add(d.DoneAt, "webhook delivered to %s", host)
		case d.DueAt.IsZero():
			add(cmp.Or(d.DoneAt, d.CreatedAt), "webhook to %s given up after %s: %s", host, quantity(int64(d.Attempts), "attempt"), d.Error)
		case d.Attempts > 0:
			add(d.CreatedAt, "webhook to %s is tried again, after %s: %s", host, quantity(int64(d.Attempts), "attempt"), d.Error)
		default:
			add(d.CreatedAt, "webhook to %s is to be sent", host)
		}
	}
	slices.SortStableFunc(events, func(a, b eventItem) int { return a.at.Compare(b.at) })
	return events
}

func endOf(t *tasks.Transfer) string {
	results := t.Totals()
	if n := results.Failures(); n > 0 && t.State == tasks.StateCompleted {
		return "completed with " + quantity(n, "failure")
	}
	return string(t.State)
}
