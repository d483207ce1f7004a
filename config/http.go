package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/balerhq/baler/internal/dsn"
)

func (v *validation) http(h HTTP) {
	v.requiref(isAddress(h.Listen), "http.listen",
		"%s is not an address; write host:port, such as 127.0.0.1:8080, or :8080 for every interface", dsn.Quote(h.Listen))
	if err := checkToken(h.Token); h.Token != "" && err != nil {
		v.problems.addf("", "http.token", "%v", err)
	}
	v.requiref(h.Token == "" || h.TokenFile == "", "http.token_file", "is set beside http.token; set one of them")
	v.requiref(h.RequestsPerSecond >= 1, "http.requests_per_second", "%d is too few; set 1 or more", h.RequestsPerSecond)
	for _, host := range h.Hosts {
		v.requiref(host != "" && !strings.ContainsAny(host, "/:@ "), "http.hosts",
			"%s is not the name of a host; write it without scheme and port, such as baler.example.org", dsn.Quote(host))
	}
}

// checkToken reports why a token cannot be sent in a header. The error does not
// contain it.
func checkToken(token string) error {
	if token == "" {
		return errors.New("is empty; `openssl rand -hex 32` makes a token")
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return errors.New("has a space or a character outside of ASCII; `openssl rand -hex 32` makes a token")
		}
	}
	return nil
}

// AuthToken returns the token that requests must carry to a server that listens on
// at; empty when they need none. It reports an error when the token's file cannot be
// used, and when others than this host could connect without a token, which Insecure
// must allow.
func (h HTTP) AuthToken(at net.Addr) (string, error) {
	token := h.Token
	if h.TokenFile != "" {
		content, err := os.ReadFile(h.TokenFile)
		if err != nil {
			return "", fmt.Errorf("read http.token_file: %w", err)
		}
		token = strings.TrimSpace(string(content))
		if err := checkToken(token); err != nil {
			return "", fmt.Errorf("http.token_file: the token in %s %w", h.TokenFile, err)
		}
	}
	if token == "" && !h.Insecure && !Loopback(at) {
		return "", fmt.Errorf("other hosts can connect to %s, and there is no token: set BALER_HTTP_TOKEN (http.token) "+
			"or BALER_HTTP_TOKEN_FILE, listen on 127.0.0.1, or allow everybody to read everything with --insecure", at)
	}
	return token, nil
}

// Loopback reports whether only this host can connect to an address.
func Loopback(at net.Addr) bool {
	switch at := at.(type) {
	case *net.TCPAddr:
		return at.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
