package coprocess

import (
	"context"
	"sync"
	"time"
)

// idleTime is how long a child with nothing to do is kept.
const idleTime = time.Minute

// checkAfter is how long a child may have had nothing to do before it is asked whether it is well.
const checkAfter = 5 * time.Second

// pool keeps children that have nothing to do, by their specs. There are never more of them
// than batches run at once.
type pool struct {
	mu     sync.Mutex
	idle   map[string][]*child
	timers map[*child]*time.Timer
}

func newPool() *pool {
	return &pool{idle: make(map[string][]*child), timers: make(map[*child]*time.Timer)}
}

// take returns a child for one batch, a new one when none is idle and well.
func (p *pool) take(ctx context.Context, s *spec) (*child, error) {
	for {
		c := p.pop(s.key())
		if c == nil {
			return startChild(ctx, s)
		}
		select {
		case <-c.process.Ended():
			c.kill()
			continue
		default:
		}
		if time.Since(c.idle) < checkAfter || c.healthy(ctx) {
			return c, nil
		}
		c.kill()
	}
}

func (p *pool) pop(key string) *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.idle[key]
	if len(all) == 0 {
		return nil
	}
	c := all[len(all)-1]
	p.remove(key, c)
	return c
}

// remove takes a child out, and reports whether it was there.
func (p *pool) remove(key string, c *child) bool {
	for i, other := range p.idle[key] {
		if other == c {
			p.idle[key] = append(p.idle[key][:i], p.idle[key][i+1:]...)
			p.timers[c].Stop()
			delete(p.timers, c)
			return true
		}
	}
	return false
}

// put takes a child back after a batch that went well.
func (p *pool) put(s *spec, c *child) {
	if c.batches >= s.MaxBatches {
		c.end()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	key := s.key()
	c.idle = time.Now()
	p.idle[key] = append(p.idle[key], c)
	p.timers[c] = time.AfterFunc(idleTime, func() {
		p.mu.Lock()
		was := p.remove(key, c)
		p.mu.Unlock()
		if was {
			c.end()
		}
	})
}

func (p *pool) close() {
	p.mu.Lock()
	var all []*child
	for key, children := range p.idle {
		all = append(all, children...)
		for _, c := range children {
			p.timers[c].Stop()
			delete(p.timers, c)
		}
		delete(p.idle, key)
	}
	p.mu.Unlock()
	for _, c := range all {
		c.end()
	}
}
