package accounts

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// throttle limits how often something may be tried, by a key such as an address.
type throttle struct {
	every time.Duration // until one more try is allowed
	burst int

	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

// mostKeys is how many keys a throttle remembers. When they are that many, it forgets
// those that are allowed everything again, and refuses others while there is no room.
const mostKeys = 10_000

func newThrottle(every time.Duration, burst int) *throttle {
	return &throttle{every: every, burst: burst, keys: make(map[string]*rate.Limiter)}
}

// wait counts a try, and says how long its key has to wait; 0: it may try now, and only
// then it counts.
func (t *throttle) wait(key string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	l, ok := t.keys[key]
	if !ok {
		if len(t.keys) >= mostKeys {
			t.sweep(now)
		}
		if len(t.keys) >= mostKeys {
			return t.every
		}
		l = rate.NewLimiter(rate.Every(t.every), t.burst)
		t.keys[key] = l
	}
	r := l.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// forget lets a key try as often as in the beginning.
func (t *throttle) forget(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.keys, key)
}

func (t *throttle) sweep(now time.Time) {
	for key, l := range t.keys {
		if l.TokensAt(now) >= float64(t.burst) {
			delete(t.keys, key)
		}
	}
}
