package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/balerhq/baler/internal/dsn"
)

func (v *validation) http(h HTTPSettings) {
	v.requiref(isAddress(h.Listen), "http.listen",
		"%s is not an address; write host:port, such as 127.0.0.1:8080, or :8080 for every interface", dsn.Quote(h.Listen))
	if err := checkToken(h.Token); h.Token != "" && err != nil {
		v.problems.addf("", "http.token", "%v", err)
	}
	v.requiref(h.Token == "" || h.TokenFile == "", "http.token_file", "is set beside http.token; set one of them")
	v.requiref((h.TLS.Cert == "") == (h.TLS.Key == ""), "http.tls", "cert and key belong together; set both, or neither")
	v.requiref(h.RequestsPerSecond >= 1, "http.requests_per_second", "%d is too few; set 1 or more", h.RequestsPerSecond)
	v.above("http.session_idle", h.SessionIdle)
	v.above("http.session_life", h.SessionLife)
	v.requiref(h.URL == "" || isOrigin(h.URL), "http.url",
		"is not an address without a path; write it as https://baler.example.org") // it may hold a password
	v.openid(h)
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

// openid checks the provider at which people log in.
func (v *validation) openid(h HTTPSettings) {
	o := h.OpenID
	if o.Issuer == "" {
		v.requiref(o.ClientID == "" && o.ClientSecretFile == "", "http.openid.issuer", "is not set beside other settings of http.openid")
		return
	}
	u, err := url.Parse(o.Issuer)
	secure := err == nil && u.Host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && isLoopbackName(u.Hostname()))
	v.requiref(secure, "http.openid.issuer", "is not the address of a provider; write it as https://login.example.org, without a password")
	v.requiref(o.ClientID != "", "http.openid.client_id", "is not set; the provider gives it when this server is registered there")
	v.requiref(h.URL != "", "http.url", "is not set; the provider sends people back to it")
	v.requiref(len(o.Viewers)+len(o.Submitters)+len(o.Operators) > 0, "http.openid.operators",
		"nobody would have a role; set http.openid.viewers, submitters or operators")
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		strings.Trim(u.Path, "/") == "" && u.RawQuery == "" && u.Fragment == ""
}

func isLoopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ReadToken returns the server's own token, from the settings or from its file; empty when
// there is none.
func (h HTTPSettings) ReadToken() (string, error) {
	if h.TokenFile == "" {
		return h.Token, nil
	}
	content, err := os.ReadFile(h.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read http.token_file: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if err := checkToken(token); err != nil {
		return "", fmt.Errorf("http.token_file: the token in %s %w", h.TokenFile, err)
	}
	return token, nil
}

// ReadClientSecret returns the secret of this server at the OpenID provider; empty when
// it has none.
func (o OpenIDSettings) ReadClientSecret() (string, error) {
	if o.ClientSecretFile == "" {
		return "", nil
	}
	content, err := os.ReadFile(o.ClientSecretFile)
	if err != nil {
		return "", fmt.Errorf("read http.openid.client_secret_file: %w", err)
	}
	secret := strings.TrimSpace(string(content))
	if secret == "" {
		return "", fmt.Errorf("http.openid.client_secret_file: %s is empty", o.ClientSecretFile)
	}
	return secret, nil
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
