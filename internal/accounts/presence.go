package accounts

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// presenceEvery is how often a Presence looks for the first account.
const presenceEvery = time.Second

// Presence finds out whether there are accounts. When it has found the first one, it stays so
// until the process ends: nobody gets in by deleting accounts. It is safe for concurrent use.
type Presence struct {
	look func(ctx context.Context) (bool, error)
	now  func() time.Time
	log  *slog.Logger

	mutex sync.Mutex
	found bool
	at    time.Time // of the last look
}

// NewPresence makes a Presence that knows whether there are accounts, and looks for the first
// one if there are none.
func NewPresence(found bool, look func(ctx context.Context) (bool, error), now func() time.Time, log *slog.Logger) *Presence {
	return &Presence{look: look, now: now, log: log, found: found, at: now()}
}

// Any reports whether there are accounts. While the database does not answer, it reports what
// was so: accounts that nobody can read let nobody in.
func (p *Presence) Any(ctx context.Context) bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	since := p.now().Sub(p.at)
	if p.found || 0 <= since && since < presenceEvery { // a clock may go back
		return p.found
	}
	found, err := p.look(ctx)
	if ctx.Err() != nil {
		return p.found // the next request looks
	}
	p.at = p.now() // those that have waited need not look
	switch {
	case err != nil:
		p.log.WarnContext(ctx, "cannot look for accounts; this server asks for no login until it finds one", "error", err)
	case found:
		p.found = true
		p.log.InfoContext(ctx, "there are accounts now: this server asks for a login")
	}
	return p.found
}
