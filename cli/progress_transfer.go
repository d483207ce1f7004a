package cli

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// followEvery is the time between two queries for progress. A query reads one row and its
// steps.
const followEvery = 200 * time.Millisecond

// follower shows the progress of a transfer while something else works on it.
type follower struct {
	b       system
	display display
	started chan string // the transfer's id, once
	stop    chan struct{}
	ended   sync.WaitGroup
}

// follow starts a follower. It continues after ctx has ended, because running batches
// still finish then; end ends it.
func (p *program) follow(ctx context.Context, b system, d display) *follower {
	f := &follower{b: b, display: d, started: make(chan string, 1), stop: make(chan struct{})}
	f.ended.Go(func() { f.loop(context.WithoutCancel(ctx)) })
	return f
}

// begin sets the transfer to follow. It is a Submission.OnCreated.
func (f *follower) begin(t tasks.Transfer) { f.started <- t.UUID }

// end shows the last report, which may be nil when there is none, and returns
// when the display has ended.
func (f *follower) end(last *tasks.Transfer) {
	close(f.stop)
	f.ended.Wait()
	if last != nil && last.UUID != "" {
		f.display.show(read(last, time.Now()))
	}
	f.display.end()
}

func (f *follower) loop(ctx context.Context) {
	var id string
	select {
	case id = <-f.started:
	case <-f.stop:
		return
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	why := reasons{b: f.b}
	var last tasks.Transfer
	for {
		t, err := f.b.Transfer(ctx, id)
		if err == nil {
			why.add(ctx, &t)
			last = t
		} else { // it is tried again; the worker reports the error
			last.WaitingFor = "the database, which does not answer"
		}
		if last.UUID != "" {
			f.display.show(read(&last, time.Now()))
		}
		select {
		case <-tick.C:
		case <-f.stop:
			return
		}
	}
}
