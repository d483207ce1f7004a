package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

// For any address, errors and redacted forms never show the password, and an accepted
// address names a host or a file.
func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"embedded", "redis://u:%s@h:1/2", "redis-sentinel://:%s@a,b:2?master=m", "redis-cluster://a,b", "mysql://u:%s@h/b?tls=true", "sqlite:/x"} {
		f.Add(s)
	}
	const secret = "Hush-Hush"
	f.Fuzz(func(t *testing.T, pattern string) {
		if strings.Contains(pattern, secret) {
			return // then it need not be a password
		}
		s := strings.Replace(pattern, "%s", secret, 1)
		r, err := config.ParseRedis(s)
		switch {
		case err != nil && strings.Contains(err.Error(), secret):
			t.Errorf("the password shows: %v", err)
		case err == nil && (r.Mode != config.Embedded) != (len(r.Addrs) > 0):
			t.Errorf("%q leads nowhere: %+v", s, r)
		case err == nil && r.Password == secret && strings.Contains(r.Redacted(), secret):
			t.Errorf("the password shows: %s", r.Redacted())
		}
		d, err := config.ParseDatabase(s)
		switch {
		case err != nil && strings.Contains(err.Error(), secret):
			t.Errorf("the password shows: %v", err)
		case err == nil && d.Path == "" && (d.Host == "" || d.Name == ""):
			t.Errorf("%q leads nowhere: %+v", s, d)
		case err == nil && d.Password == secret && strings.Contains(d.Redacted(), secret):
			t.Errorf("the password shows: %s", d.Redacted())
		}
	})
}

// For any file, Load returns either errors or valid settings, which WithDefaults does not
// change.
func FuzzFile(f *testing.F) {
	bad, err := os.ReadFile("testdata/bad.yaml")
	testkit.Must(f, err)
	f.Add(string(bad))
	f.Add("worker: {queues: {a: 1}, grace: 3s}\nroots: [/a]\nhandlers: {x: {timeout: 3s}}\nbatch: &b {max_bytes: 1KiB}\n")
	f.Add("worker: &x\n  name: *x\n<<: {roots: /a}\n")
	path := filepath.Join(f.TempDir(), "baler.yaml")
	f.Fuzz(func(t *testing.T, content string) {
		testkit.WriteFile(t, path, content)
		c, err := config.Load(config.Sources{Env: []string{home}, File: path})
		if problems, ok := errors.AsType[config.Errors](err); ok && len(problems) == 0 {
			t.Error("an error without problems")
		}
		if err == nil && (c.Validate() != nil || !reflect.DeepEqual(c, c.WithDefaults([]string{home}))) {
			t.Errorf("accepted %+v", c)
		}
	})
}
