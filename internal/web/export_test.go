package web

import (
	"net/http"
	"reflect"
	"slices"
)

// Patterns lists the patterns of all routes of a server, its API's too. It reads them from
// net/http's own index, so that no way of registering one can be forgotten.
func (s *Server) Patterns() []string {
	all := patternsOf(s.routes.mux)
	if s.routes.operations != nil {
		all = append(all, patternsOf(s.routes.operations)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func patternsOf(mux *http.ServeMux) (all []string) {
	index := reflect.ValueOf(mux).Elem().FieldByName("index")
	note := func(patterns reflect.Value) {
		for i := range patterns.Len() {
			all = append(all, patterns.Index(i).Elem().FieldByName("str").String())
		}
	}
	note(index.FieldByName("multis"))
	for _, key := range index.FieldByName("segments").MapKeys() {
		note(index.FieldByName("segments").MapIndex(key))
	}
	return all
}

// Roles is the role that each entry of the table needs.
func Roles() map[string]string {
	roles := make(map[string]string)
	for pattern, r := range rights() {
		roles[pattern] = string(r.role)
	}
	return roles
}

// Told lists the entries that have words for the audit log.
func Told() map[string]string {
	words := make(map[string]string)
	for pattern, r := range rights() {
		words[pattern] = r.does
	}
	return words
}

// Compressed wraps a handler as a server does.
func Compressed(next http.Handler) (http.Handler, error) { return compressed(next) }

// Recorded wraps a handler in the recorder of the access log.
func Recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&responseRecorder{ResponseWriter: w}, r)
	})
}

// MaskToken and UnmaskToken hide a token of forms, and find it again.
func MaskToken(token string) string { return maskToken(token) }

// UnmaskToken is the opposite of MaskToken.
func UnmaskToken(masked string) []byte { return unmaskToken(masked) }
