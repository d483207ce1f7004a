package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
)

func TestParseDatabase(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]config.DatabaseURL{
		"sqlite:/var/lib/b.db":   {Driver: "sqlite", Path: "/var/lib/b.db"},
		"sqlite:b.db":            {Driver: "sqlite", Path: "b.db"},
		"sqlite:///var/lib/b.db": {Driver: "sqlite", Path: "/var/lib/b.db"},
		"mysql://u:p%40ss@db/baler": {
			Driver: "mysql", User: "u", Password: "p@ss", Host: "db:3306", Name: "baler", Params: map[string][]string{},
		},
		"mysql://u:p@/b?socket=/run/m.sock&timeout=3s": {
			Driver: "mysql", User: "u", Password: "p", Socket: "/run/m.sock", Name: "b", Params: map[string][]string{"timeout": {"3s"}},
		},
		"mysql://db/b?wsrep_sync_wait=1": {
			Driver: "mysql", Host: "db:3306", Name: "b", Params: map[string][]string{"wsrep_sync_wait": {"1"}},
		},
		"mysql://[::1]:3307/b?tls=true": {
			Driver: "mysql", Host: "[::1]:3307", Name: "b", Params: map[string][]string{"tls": {"true"}},
		},
	} {
		if got, err := config.ParseDatabase(s); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "sqlite:", "sqlite::memory:", "sqlite:file:b.db?mode=memory", "sqlite:b.db?mode=ro", "postgres://u:hush@db/x", "mysql://u:hush@db", "mysql://u:hush@/b", "mysql://u:hush@db/a/b",
		"mysql://u:hu%sh@db/b", "mysql://u:hush@db:x/b", "mysql://u:hush@db/b?a;b", "u:hush@tcp(db:3306)/b",
		"mysql://u:hush@db/b?nonsense=1", "mysql://u:hush@db/b?parseTime=true", "mysql://u:hush@db/b?tls=perhaps",
		"mysql://u:hush@db:99999/b", "mysql://u:hush@db:0/b", "mysql://u:hush@db/b?timeout=abc", "mysql://u:hush@db/b?readTimeout=-5s",
		"mysql://u:hush@db/b?writeTimeout=", "mysql://u:hush@db/b?compress=maybe", "sqlite: ", "sqlite:a\x00b",
		"mysql://u:hush@db/b?sql_mode=''", "mysql://u:hush@db/b?SQL_SELECT_LIMIT=1", "mysql://u:hush@db/b?autocommit=0", "mysql://u:hush@db/b?socket=/s", "mysql://u:hush@/b?socket=s",
	} {
		if got, err := config.ParseDatabase(s); err == nil {
			t.Errorf("%s: %+v", s, got)
		} else if strings.Contains(err.Error(), "hu") {
			t.Errorf("%s: the password shows: %v", s, err)
		}
	}
}

func TestParseRedis(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]config.RedisURL{
		"embedded":                    {Mode: config.Embedded},
		"redis://h":                   {Mode: config.Single, Addrs: []string{"h:6379"}},
		"rediss://u:p%40@h:7/2":       {Mode: config.Single, TLS: true, Addrs: []string{"h:7"}, User: "u", Password: "p@", DB: 2},
		"redis://:p@[::1]:7":          {Mode: config.Single, Addrs: []string{"[::1]:7"}, Password: "p"},
		"redis://[::1]":               {Mode: config.Single, Addrs: []string{"[::1]:6379"}},
		"redis-cluster://a,b:7,c":     {Mode: config.Cluster, Addrs: []string{"a:6379", "b:7", "c:6379"}},
		"redis-cluster://a:1,b:2,c:3": {Mode: config.Cluster, Addrs: []string{"a:1", "b:2", "c:3"}},
		"redis-sentinel://:p@a:1,b:2/3?master=m": {
			Mode: config.Sentinel, Addrs: []string{"a:1", "b:2"}, Password: "p", DB: 3, Master: "m",
		},
		"rediss-sentinel://a?master=m": {Mode: config.Sentinel, TLS: true, Addrs: []string{"a:26379"}, Master: "m"},
		"rediss-cluster://a":           {Mode: config.Cluster, TLS: true, Addrs: []string{"a:6379"}},
		"unix:///run/r.sock":           {Mode: config.Single, Socket: "/run/r.sock"},
		"unix://u:p@/r.sock?db=3":      {Mode: config.Single, Socket: "/r.sock", User: "u", Password: "p", DB: 3},
		"redis-sentinel://a?master=m":  {Mode: config.Sentinel, Addrs: []string{"a:26379"}, Master: "m"},
	} {
		if got, err := config.ParseRedis(s); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"", "localhost:6379", "http://:hush@h", "redis://", "redis://:hush@:6379", "redis://:hush@h/x", "redis://:hush@h/-1",
		"redis://:hush@a,b", "redis://:hush@h:99999", "redis-cluster://a:1,b:70000", "redis://h:0", "redis-sentinel://:hush@a", "redis-cluster://:hush@a/1", "redis://:hu%sh@h", "redis-cluster://a,,b",
		"redis://h?tls=true", "redis://h?db=3", "redis://h?master=m", "redis-sentinel://h?master=m&db=1", "redis-cluster://h?nonsense=1",
		"unix://", "unix:///", "unix://hush/r.sock", "unix:///r.sock?db=x", "unix:///r.sock?tls=true", "redis://u:1?hush@h",
	} {
		if got, err := config.ParseRedis(s); err == nil {
			t.Errorf("%s: %+v", s, got)
		} else if strings.Contains(err.Error(), "hu") {
			t.Errorf("%s: the password shows: %v", s, err)
		}
	}
}

// An option that is not understood is named, with those that are.
func TestUnknownOptions(t *testing.T) {
	t.Parallel()
	for s, told := range map[string]string{
		"mysql://u:hush@db/b?nonsense=1":  `the option "nonsense" is not understood; the options are allowCleartextPasswords, `,
		"redis://:hush@h?tls=true":        `the option "tls" is not understood; this kind of address has none`,
		"redis-sentinel://h?db=3":         `the option "db" is not understood; the options are master`,
		"unix:///r.sock?master=m":         `the option "master" is not understood; the options are db`,
		"redis://u:1?hush@h":              "an option is not understood",
		"mysql://u:hush@db/b?hush=1@more": "an option is not understood",
	} {
		_, err := config.ParseRedis(s)
		if strings.HasPrefix(s, "mysql") {
			_, err = config.ParseDatabase(s)
		}
		if err == nil || !strings.Contains(err.Error(), told) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestRedacted(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"sqlite:/b.db":                       "sqlite:/b.db",
		"mysql://u:hush@db/b?tls=true":       "mysql://u:xxxxx@db:3306/b",
		"mysql://u@db/b":                     "mysql://u@db:3306/b",
		"mysql://db/b":                       "mysql://db:3306/b",
		"embedded":                           "embedded",
		"redis://:hush@h":                    "redis://:xxxxx@h:6379/0",
		"rediss://u:hush@h/1":                "rediss://u:xxxxx@h:6379/1",
		"redis-cluster://u@a,b":              "redis-cluster://:xxxxx@a:6379,b:6379",
		"rediss-sentinel://:hush@a?master=m": "rediss-sentinel://:xxxxx@a:26379/0?master=m",
		"rediss-cluster://a":                 "rediss-cluster://a:6379",
		"unix://:hush@/r.sock?db=3":          "unix://:xxxxx@/r.sock?db=3",
		"mysql://u:hush@/b?socket=/s":        "mysql://u:xxxxx@/b?socket=%2Fs",
		"redis-sentinel://:hush@a?master=m":  "redis-sentinel://:xxxxx@a:26379/0?master=m",
	} {
		if got := redacted(t, s); got != want {
			t.Errorf("%s: %s", s, got)
		}
	}
}

func redacted(t *testing.T, s string) string {
	t.Helper()
	if d, err := config.ParseDatabase(s); err == nil {
		return d.Redacted()
	}
	r, err := config.ParseRedis(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return r.Redacted()
}

func TestSize(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]config.Size{
		"0": 0, "65536": 64 << 10, "64KiB": 64 << 10, "64 kib": 64 << 10, "64kB": 64000, "1.5GiB": 3 << 29, "1TiB": 1 << 40,
	} {
		if got, err := config.ParseSize(s); err != nil || got != want {
			t.Errorf("%s: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "KiB", "-1", "1 parsec", "9999999999TiB"} {
		if got, err := config.ParseSize(s); err == nil {
			t.Errorf("%q: %d", s, got)
		}
	}
	for size, want := range map[config.Size]string{
		0: "0", 1: "1", 1000: "1000", 1024: "1KiB", 1536: "1536", 256 << 20: "256MiB", 3 << 30: "3GiB", 5 << 50: "5120TiB",
	} {
		if got := size.String(); got != want {
			t.Errorf("%d: %s", int64(size), got)
		}
		if back, err := config.ParseSize(want); err != nil || back != size {
			t.Errorf("%s reads as %d, %v", want, int64(back), err)
		}
	}
}
