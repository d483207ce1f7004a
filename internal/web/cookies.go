package web

import (
	"net/http"
	"strings"
	"time"
)

const (
	sessionCookie = "baler_session"
	openidCookie  = "baler_openid"
)

// https reports whether browsers reach the server by HTTPS, itself or through a proxy.
func (o *Options) https(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(o.URL, "https://")
}

// cookieName has a prefix with HTTPS, by which browsers keep other hosts of the domain
// from setting the cookie.
func (o *Options) cookieName(r *http.Request, name string) string {
	if o.https(r) {
		return "__Host-" + name
	}
	return name
}

// setCookie sets a cookie that no script can read. life 0 deletes it.
func (o *Options) setCookie(w http.ResponseWriter, r *http.Request, name, value string, life time.Duration) {
	c := &http.Cookie{ //nolint:gosec // Secure as soon as there is HTTPS; without it, browsers would drop the cookie
		Name: o.cookieName(r, name), Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: o.https(r), SameSite: http.SameSiteLaxMode,
	}
	if life <= 0 {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}
