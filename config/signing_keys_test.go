package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

func TestSigningKeys(t *testing.T) {
	const a, b = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	file := filepath.Join(t.TempDir(), "keys")
	for _, c := range []struct {
		content string
		want    []string
		err     string
	}{
		{a + "\n", []string{a}, ""},
		{a + "\r\n\n" + b, []string{a, b}, ""},
		{"\ufeff" + a + "\r\n", []string{a}, ""},
		{"", nil, "has no key"},
		{"# made in May\n\n  " + a + "\n\t# the former one\n" + b + "\n", []string{a, b}, ""},
		{"# nothing else\n", nil, "has no key"},
		{a + "\n" + b + " # the former one\n", nil, "line 2 has 5 words; write each key on a line of its own, without blanks, and comments on lines that begin with #"},
		{a + " " + b, nil, "line 1 has 2 words"},
		{"\n# x\nshort\n", nil, "line 3 has a key of 5 characters, which needs 32 or more"},
		{a + "\n" + a, nil, "key 2 is there twice"},
	} {
		testkit.Must(t, os.WriteFile(file, []byte(c.content), 0o600))
		keys, err := config.RedisSettings{URL: "redis://h", SigningKeysFile: file}.ReadSigningKeys()
		if !slices.Equal(keys, c.want) || (c.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v", c.content, keys, err)
		}
		if err != nil && (strings.Contains(err.Error(), "short") || strings.Contains(err.Error(), a)) {
			t.Errorf("the error shows a key: %v", err)
		}
	}
	if _, err := (config.RedisSettings{URL: "redis://h", SigningKeysFile: file + "2"}).ReadSigningKeys(); err == nil {
		t.Error("a file that is missing")
	}
	if keys, err := (config.RedisSettings{URL: "embedded", SigningKeys: []string{a}}).ReadSigningKeys(); err != nil || keys != nil {
		t.Errorf("an embedded queue: %q, %v", keys, err)
	}
	for _, env := range [][]string{
		{"BALER_REDIS_SIGNING_KEYS=Hush-Hush"}, {"BALER_REDIS_SIGNING_KEYS=" + a + "," + a},
		{"BALER_REDIS_SIGNING_KEYS=" + a, "BALER_REDIS_SIGNING_KEYS_FILE=" + file},
	} {
		_, err := config.Load(config.Sources{Env: append(env, "HOME=/h", "BALER_REDIS_URL=redis://h")})
		if err == nil || !strings.Contains(err.Error(), "redis.signing_keys") || strings.Contains(err.Error(), "Hush") || strings.Contains(err.Error(), a) {
			t.Errorf("%s: %v", env, err)
		}
	}
}
