package config

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"
)

// ServerToken returns the token for requests to the server; empty when there is none.
func (c *Config) ServerToken() (string, error) {
	token, from := c.Token, "token"
	if token == "" && c.TokenFile != "" {
		content, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return "", fmt.Errorf("read token_file: %w", err)
		}
		token, from = strings.TrimSpace(string(content)), "token_file: the token in "+c.TokenFile
	} else if token == "" {
		return "", nil
	}
	if err := checkToken(token); err != nil {
		return "", fmt.Errorf("%s %w", from, err)
	}
	return token, nil
}

// ServerTLS returns the settings of encrypted connections to the server; nil for those of the
// host.
func (c *Config) ServerTLS() (*tls.Config, error) {
	t, err := TLS{CA: c.ServerCA}.Load()
	if err != nil {
		return nil, fmt.Errorf("server_ca: %w", err)
	}
	return t, nil
}
