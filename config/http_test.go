package config_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

func TestTheServersToken(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	testkit.WriteFile(t, file, "from-the-file\n")
	for _, c := range []struct {
		http    config.HTTPSettings
		token   string
		refused bool
	}{
		{config.HTTPSettings{}, "", false},
		{config.HTTPSettings{Token: "given"}, "given", false},
		{config.HTTPSettings{TokenFile: file}, "from-the-file", false},
		{config.HTTPSettings{TokenFile: file + "2", Insecure: true}, "", true},
		{config.HTTPSettings{TokenFile: os.DevNull, Insecure: true}, "", true},
	} {
		if token, err := c.http.ReadToken(); token != c.token || (err != nil) != c.refused {
			t.Errorf("%+v: %q, %v", c.http, token, err)
		}
	}
}

func TestOnlyLoopbackIsThisHostAlone(t *testing.T) {
	t.Parallel()
	for at, others := range map[string]bool{
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "0.0.0.0": true, "::": true, "192.168.1.2": true, "fe80::1": true, "8.8.8.8": true,
	} {
		if config.Loopback(&net.TCPAddr{IP: net.ParseIP(at), Port: 8080}) == others {
			t.Errorf("%s: others can connect: want %v", at, others)
		}
	}
}

func TestUnusableOpenIDSettings(t *testing.T) {
	t.Parallel()
	good := []string{
		home, "BALER_HTTP_OPENID_ISSUER=https://login.example.org", "BALER_HTTP_OPENID_CLIENT_ID=baler",
		"BALER_HTTP_URL=https://baler.example.org", "BALER_HTTP_OPENID_OPERATORS=staff",
	}
	if _, err := config.Load(config.Sources{Env: good}); err != nil {
		t.Fatal(err)
	}
	for variable, want := range map[string]string{
		"BALER_HTTP_OPENID_ISSUER=http://login.example.org":   "is not the address of a provider", // its answers could be forged
		"BALER_HTTP_OPENID_ISSUER=https://u:secret@l.example": "is not the address of a provider",
		"BALER_HTTP_OPENID_CLIENT_ID=":                        "http.openid.client_id: is not set",
		"BALER_HTTP_URL=":                                     "http.url: is not set",
		"BALER_HTTP_URL=https://b.example.org/path":           "is not an address without a path",
		"BALER_HTTP_OPENID_OPERATORS=":                        "nobody would have a role",
		"BALER_HTTP_OPENID_ISSUER=":                           "is not set beside other settings",
		"BALER_HTTP_SESSION_IDLE=-1h":                         "is too short",
	} {
		name, value, _ := strings.Cut(variable, "=")
		env := slices.DeleteFunc(slices.Clone(good), func(e string) bool { return strings.HasPrefix(e, name+"=") })
		if value != "" {
			env = append(env, variable)
		}
		_, err := config.Load(config.Sources{Env: env})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: %v", variable, err)
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
