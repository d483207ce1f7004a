package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
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
	got := unmaskToken(r.PostFormValue(formToken))
	return subtle.ConstantTimeCompare(got, []byte(who.CSRF)) == 1
}

// maskToken hides a token behind random bytes, other ones in each page. Else the lengths of
// compressed pages that also show what somebody else has chosen would tell the token, bit by bit
// (the attack BREACH).
func maskToken(token string) string {
	masked := make([]byte, 2*len(token))
	mask, hidden := masked[:len(token)], masked[len(token):]
	_, _ = rand.Read(mask) // never fails
	subtle.XORBytes(hidden, mask, []byte(token))
	return base64.RawURLEncoding.EncodeToString(masked)
}

// unmaskToken is the token of a form; empty when it has none.
func unmaskToken(masked string) []byte {
	raw, err := base64.RawURLEncoding.DecodeString(masked)
	if err != nil || len(raw)%2 != 0 {
		return nil
	}
	token := make([]byte, len(raw)/2)
	subtle.XORBytes(token, raw[:len(token)], raw[len(token):])
	return token
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
