package web

import (
	"bytes"
	"html/template"
	"net/http"
	"regexp"
	"strings"

	"github.com/balerhq/baler/internal/accounts"
)

// form is the tag of every form that changes something. Texts in a page are escaped, so
// that it comes from templates alone.
var form = regexp.MustCompile(`<form method="post"[^>]*>`)

// accountPlace is where the layout shows who has logged in.
const accountPlace = `<div id="account"></div>`

// personalize completes a page for whoever looks at it: it adds the token to all forms, so that
// no page can forget it, and says who has logged in.
func (o *Options) personalize(r *http.Request, page []byte) []byte {
	who := accounts.From(r.Context())
	token := maskToken(who.CSRF)
	if who.CSRF != "" {
		field := `<input type="hidden" name="` + formToken + `" value="` + token + `">`
		page = form.ReplaceAllFunc(page, func(tag []byte) []byte { return append(bytes.Clone(tag), field...) })
	}
	return bytes.Replace(page, []byte(accountPlace), []byte(`<div id="account">`+o.account(who, token)+`</div>`), 1)
}

// account is what the header of a page shows of a person. The token is for its form.
func (o *Options) account(who accounts.Identity, token string) string {
	var b strings.Builder
	if who.Session != nil {
		b.WriteString(`<form method="post" action="/logout" class="account"><input type="hidden" name="` + formToken + `" value="` +
			token + `"><span>` + template.HTMLEscapeString(visible(who.Name)) +
			` <small>` + template.HTMLEscapeString(string(who.Role)) + `</small></span> <button>Log out</button></form>`)
	}
	return b.String()
}

// may reports whether whoever has sent a request may use a route.
func may(r *http.Request, pattern string) bool {
	needs, ok := rights()[pattern]
	return ok && accounts.From(r.Context()).Role.Allows(needs.role)
}
