package admission

import (
	"maps"
	"time"
)

// claimTime is how long a promoted batch that a limit has sent back has a claim on the next
// room, beyond the time after which it comes back: longer than its way through the queue.
const claimTime = 2 * time.Second

// claims are the claims of promoted batches on the next room of a limit. While there are some,
// the limit admits these batches in the order of their claims, and no others, but no more than
// maxOvertaken in a row.
type claims struct {
	byBatch  map[int64]claim
	last     uint64 // number of the last claim
	admitted int    // batches with a claim, since another batch was admitted
}

type claim struct {
	number uint64
	until  time.Time
}

// claim notes that a promoted batch is kept out. The caller holds mu, as for the methods below.
func (l *Limiter) claim(full *ThrottledError, batch int64) {
	if l.claims == nil {
		l.claims = make(map[string]*claims)
	}
	c := l.claims[full.Limit]
	if c == nil {
		c = &claims{byBatch: make(map[int64]claim)}
		l.claims[full.Limit] = c
	}
	own, again := c.byBatch[batch]
	if !again {
		c.last++
		own.number = c.last
	}
	own.until = l.now().Add(full.RetryAfter + claimTime)
	c.byBatch[batch] = own
}

// claimed returns the limit whose next room others claim before a batch, or nil.
func (l *Limiter) claimed(keys []string, batch int64) *ThrottledError {
	now := l.now()
	for _, k := range keys {
		c := l.claims[k]
		if c == nil {
			continue
		}
		maps.DeleteFunc(c.byBatch, func(_ int64, other claim) bool { return other.until.Before(now) })
		own, has := c.byBatch[batch]
		if !has && c.admitted >= maxOvertaken {
			continue
		}
		for _, other := range c.byBatch {
			if !has || other.number < own.number {
				return &ThrottledError{Reason: l.shares[k].reason(), Limit: k}
			}
		}
	}
	return nil
}

// settleClaims notes that a batch is admitted.
func (l *Limiter) settleClaims(keys []string, batch int64) {
	for _, k := range keys {
		c := l.claims[k]
		if c == nil {
			continue
		}
		if _, had := c.byBatch[batch]; had {
			delete(c.byBatch, batch)
			c.admitted++
		} else {
			c.admitted = 0
		}
	}
}

// reason is the kind of the limit, the number of batches if it has both.
func (p *limitShare) reason() LimitReason {
	if p.InFlight > 0 {
		return LimitInFlight
	}
	return LimitRate
}
