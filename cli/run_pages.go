package cli

import (
	"context"
	"fmt"
	"net"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// runPages shows a run in the browser.
type runPages struct {
	p       *program
	url     string
	stop    context.CancelFunc
	stopped chan error
	shown   bool // the address of the run's page has been printed
}

// showPages serves the pages of a run on a free port of this host.
func (p *program) showPages(ctx context.Context, b *baler.Baler) (*runPages, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("show the run in the browser: %w", err)
	}
	// Not until ctx ends: an interrupted run still finishes its batches, which the page shows.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	r := &runPages{p: p, url: "http://" + ln.Addr().String(), stop: stop, stopped: make(chan error, 1)}
	go func() { r.stopped <- b.ServePages(serving, ln) }()
	return r, nil
}

// tell prints the address of the page of the run.
func (r *runPages) tell(t *tasks.Transfer) {
	if r == nil || r.shown {
		return
	}
	r.shown = true
	r.p.notef("Watch this run at %s/transfers/%s", r.url, t.UUID)
}

// end closes the pages. At a terminal they stay until a person interrupts.
func (r *runPages) end(ctx context.Context) error {
	if r == nil {
		return nil
	}
	if _, atTerminal := terminal(r.p.stdout); atTerminal && r.shown && ctx.Err() == nil {
		r.p.notef("The page stays until you press Ctrl-C. What is retried there runs with the next run.")
		select {
		case <-ctx.Done():
		case err := <-r.stopped:
			r.stop()
			return err
		}
	}
	r.stop()
	return <-r.stopped
}
