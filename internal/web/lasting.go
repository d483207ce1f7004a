package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/sleep"
)

// recheckEvery is how often a client that watches is asked again whether it may.
const recheckEvery = 15 * time.Second

// lasts reports whether a request watches something until that ends.
func lasts(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/events")
}

// whileAllowed returns a request whose context ends when its sender may no longer make it:
// after a logout, when the token was revoked, or when
// there are accounts for the first time. Call stop in the end.
func (g *guard) whileAllowed(r *http.Request, needs right) (watched *http.Request, stop func()) {
	ctx, cancel := context.WithCancel(r.Context())
	watched = r.WithContext(ctx)
	if g.opts.Gate == nil {
		return watched, cancel
	}
	go sleep.Every(ctx, recheckEvery, func() {
		who, err := g.identify(r)
		denied := errors.Is(err, accounts.ErrDenied) || errors.Is(err, errAnonymous) || err == nil && !who.Role.Allows(needs.role)
		if denied { // an outage of the database is no reason
			cancel()
		}
	})
	return watched, cancel
}
