package config_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

func TestOtherHostsNeedAToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	testkit.WriteFile(t, file, "from-the-file\n")
	for at, others := range map[string]bool{
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "0.0.0.0": true, "::": true, "192.168.1.2": true, "fe80::1": true, "8.8.8.8": true,
	} {
		addr := &net.TCPAddr{IP: net.ParseIP(at), Port: 8080}
		for _, c := range []struct {
			http    config.HTTP
			token   string
			refused bool
		}{
			{config.HTTP{}, "", others},
			{config.HTTP{Insecure: true}, "", false},
			{config.HTTP{Token: "given"}, "given", false},
			{config.HTTP{TokenFile: file}, "from-the-file", false},
			{config.HTTP{TokenFile: file + "2", Insecure: true}, "", true},
			{config.HTTP{TokenFile: os.DevNull, Insecure: true}, "", true},
		} {
			token, err := c.http.AuthToken(addr)
			if token != c.token || (err != nil) != c.refused {
				t.Errorf("%s with %+v: %q, %v", at, c.http, token, err)
			}
			if c.http.TokenFile == "" && err != nil && !strings.Contains(err.Error(), "BALER_HTTP_TOKEN") {
				t.Errorf("it does not say what to set: %v", err)
			}
		}
	}
}

func TestUnusableTokens(t *testing.T) {
	t.Parallel()
	for variable, want := range map[string]string{
		"BALER_HTTP_TOKEN=two words": "has a space", "BALER_HTTP_TOKEN=\u00fcber": "outside of ASCII",
		"BALER_HTTP_HOSTS=https://b.example": "without scheme and port", "BALER_HTTP_HOSTS=b.example:80": "without scheme and port",
	} {
		_, err := config.Load(config.Sources{Env: []string{home, variable}})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "two words") {
			t.Errorf("%s: %v", variable, err)
		}
	}
	_, err := config.Load(config.Sources{Env: []string{home, "BALER_HTTP_TOKEN=x", "BALER_HTTP_TOKEN_FILE=/x"}})
	if err == nil || !strings.Contains(err.Error(), "set one of them") {
		t.Error(err)
	}
}
