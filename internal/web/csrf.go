package web

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
)

// formToken is the field that every form has; see personalize.
const formToken = "csrf"

// fromOwnPage reports whether a request that may change something comes from a page of
// this server that the present login has loaded. Forms show it by a token. The scripts of the monitor
// and of pages that use the API have none; browsers say for them where they come from.
func fromOwnPage(w http.ResponseWriter, r *http.Request, who accounts.Identity) bool {
	if strings.HasPrefix(r.URL.Path, api.Root+"/") || strings.HasPrefix(r.URL.Path, monitorRoot+"/") {
		return sameOrigin(r)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	got := r.PostFormValue(formToken)
	return subtle.ConstantTimeCompare([]byte(got), []byte(who.CSRF)) == 1
}

// sameOrigin is stricter than http.CrossOriginProtection, which also lets requests pass
// that do not say where they come from: those with a cookie come from a browser, which
// says it.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && origin.Host != "" && origin.Host == r.Host
}
