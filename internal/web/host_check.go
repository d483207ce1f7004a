package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/balerhq/baler/internal/api"
)

// checkHost refuses requests whose Host header is not a name of this server. Otherwise
// a page of another site could have its own name resolve to this server, and the
// browser would let it read the answers (DNS rebinding). An IP address in place of a
// name cannot be resolved to anything else.
func checkHost(names []string, next http.Handler) http.Handler {
	own := make(map[string]bool, len(names))
	for _, name := range names {
		own[canonicalHost(name)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if withoutLogin(r.URL.Path) || ownHost(r.Host, own) {
			next.ServeHTTP(w, r)
			return
		}
		api.WriteProblem(w, api.Problem(http.StatusMisdirectedRequest,
			"The name in this address is not one of this server's. Add it to http.hosts (BALER_HTTP_HOSTS) if it should be."))
	})
}

func ownHost(host string, own map[string]bool) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = canonicalHost(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || own[host] {
		return host != ""
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}

func canonicalHost(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
