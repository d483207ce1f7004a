package simulation

import (
	"math"
	"time"
)

// How often workers tell the queue which batches they hold, and the ledger that they live, and
// for how long they count as alive.
const (
	holdInterval      = time.Second
	heartbeatInterval = 5 * time.Second
	aliveFor          = 15 * time.Second
)

// worker runs several batches at once, until it dies.
type worker struct {
	diedAt      time.Time     // zero while it lives
	held, alive time.Duration // how long before its death it told the queue and the ledger last
}

// notHeldFor is how long it has not told the queue what it holds; 0 while it lives.
func (k *worker) notHeldFor(now time.Time) time.Duration { return k.since(now, k.held) }

// silentFor is how long it has not told the ledger that it lives; 0 while it lives.
func (k *worker) silentFor(now time.Time) time.Duration { return k.since(now, k.alive) }

func (k *worker) since(now time.Time, before time.Duration) time.Duration {
	if k.diedAt.IsZero() {
		return 0
	}
	return now.Sub(k.diedAt) + before
}

// assign gives the batches of the queue to workers that have nothing to do.
func (w *world) assign() {
	for len(w.queue) > 0 && len(w.idle) > 0 {
		i := w.random.IntN(len(w.idle))
		k := w.idle[i]
		w.idle[i] = w.idle[len(w.idle)-1]
		w.idle = w.idle[:len(w.idle)-1]
		if !k.diedAt.IsZero() {
			continue
		}
		r := w.queue[0]
		w.queue = w.queue[1:]
		w.run(k, r)
	}
}

// run runs a batch. Reading it and recording its results take a round trip each.
func (w *world) run(k *worker, r *record) {
	r.queued, r.worker = false, k
	if !r.lost.IsZero() {
		w.recovered = append(w.recovered, w.clock.now.Sub(r.lost).Seconds())
		r.lost = time.Time{}
	}
	took := time.Duration(float64(r.Items()) * float64(w.options.PerFile) * w.variation())
	w.clock.after(took+2*w.options.RoundTrip, func() {
		if !k.diedAt.IsZero() {
			return
		}
		w.plan.ObserveCost(1, r.Items(), r.Bytes, took)
		delete(w.ledger, r.ID)
		w.backlog.Open--
		w.done += int64(r.Items())
		w.idle = append(w.idle, k)
		w.assign()
	})
}

// variation is a factor by which batches differ: of two thirds of them by less than a third.
// Its mean is 1.
func (w *world) variation() float64 {
	const sigma = 0.3
	return math.Exp(sigma*w.random.NormFloat64() - sigma*sigma/2)
}

// kill kills some workers and the dispatcher that leads.
func (w *world) kill() {
	w.leaderDied = w.clock.now
	for _, i := range w.random.Perm(len(w.workers))[:w.options.Kill] {
		k := w.workers[i]
		k.diedAt = w.clock.now
		k.held = time.Duration(w.random.Int64N(int64(holdInterval)))
		k.alive = time.Duration(w.random.Int64N(int64(heartbeatInterval)))
		for _, r := range w.ledger {
			if r.worker == k {
				r.lost = w.clock.now
				w.result.Lost++
			}
		}
	}
}

// slots is how many batches the workers run at once that have been heard of lately.
func (w *world) slots() int {
	n := 0
	for _, k := range w.workers {
		if k.silentFor(w.clock.now) < aliveFor {
			n += w.options.Slots
		}
	}
	return n
}
