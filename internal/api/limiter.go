package api

import (
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter limits how many requests a second each client may make. Clients behind one
// address share its limit.
type limiter struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	clients map[string]*rate.Limiter
	swept   time.Time
}

const (
	sweepClients = time.Minute // between two removals of clients that are idle
	mostClients  = 10_000      // that are remembered; beyond it all are forgotten
)

// Limit answers requests below Root beyond perSecond of a client, and a burst of two
// seconds, with 429 and the time to wait. 0 limits nothing.
func Limit(perSecond int, next http.Handler) http.Handler {
	if perSecond <= 0 {
		return next
	}
	l := newLimiter(perSecond)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := l.wait(clientOf(r), time.Now()); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			WriteProblem(w, problem(http.StatusTooManyRequests,
				"Too many requests: the server takes "+strconv.Itoa(perSecond)+" a second from one address."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func newLimiter(perSecond int) *limiter {
	return &limiter{perSecond: rate.Limit(perSecond), burst: 2 * perSecond, clients: make(map[string]*rate.Limiter)}
}

// clientOf is the address of the client, without its port. A proxy counts as one client.
func clientOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// wait is how long a client must wait for its next request; 0: it need not.
func (l *limiter) wait(client string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.swept) >= sweepClients || len(l.clients) >= mostClients {
		l.sweep(now)
	}
	c, ok := l.clients[client]
	if !ok {
		c = rate.NewLimiter(l.perSecond, l.burst)
		l.clients[client] = c
	}
	r := c.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// sweep forgets clients that have their whole burst again.
func (l *limiter) sweep(now time.Time) {
	l.swept = now
	for name, c := range l.clients {
		if c.TokensAt(now) >= float64(l.burst) || len(l.clients) >= mostClients {
			delete(l.clients, name)
		}
	}
}
