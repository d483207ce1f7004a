package config_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

// leaves maps the key of every field of a Config to the field. A field without a
// koanf tag has its name in lower case with underscores; a size in bytes is
// printed as a config.Size.
func leaves(prefix string, v reflect.Value, out map[string]reflect.Value) {
	for field, value := range v.Fields() {
		name := field.Tag.Get("koanf")
		if name == "" {
			name = snakeCase(field.Name)
		}
		key := prefix + name
		switch {
		case value.Kind() == reflect.Struct:
			leaves(key+".", value, out)
		case field.Type == reflect.TypeFor[map[string]config.HandlerSettings]():
			leaves(key+".*.", reflect.ValueOf(config.HandlerSettings{}), out)
		case name == "max_bytes":
			out[key] = reflect.ValueOf(config.Size(value.Int()))
		default:
			out[key] = value
		}
	}
}

func snakeCase(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

func TestSettingsAreTheConfigsFields(t *testing.T) {
	t.Parallel()
	fields := make(map[string]reflect.Value)
	leaves("", reflect.ValueOf(config.Config{}.WithDefaults([]string{home})), fields)
	seen := make(map[string]bool)
	for _, s := range config.Settings() {
		field, ok := fields[s.Key]
		if !ok || seen[s.Key] {
			t.Errorf("%s: no such field, or twice", s.Key)
			continue
		}
		seen[s.Key] = true
		if strings.Contains(s.Key, "*") {
			continue
		}
		if want := "BALER_" + strings.ToUpper(strings.ReplaceAll(s.Key, ".", "_")); s.Variable != want {
			t.Errorf("%s: variable %s, want %s", s.Key, s.Variable, want)
		}
		if worded := strings.ContainsAny(s.Default, " /"); worded || strings.HasPrefix(s.Default, "processors") {
			continue // follows from the host; TestDefaults looks at it
		}
		if got := printed(field); got != s.Default {
			t.Errorf("%s: documented default %q, real one %q", s.Key, s.Default, got)
		}
	}
	for key := range fields {
		if !seen[key] {
			t.Errorf("%s cannot be set", key)
		}
	}
}

// printed writes a default as a person would; empty when it is zero.
func printed(v reflect.Value) string {
	switch value := v.Interface().(type) {
	case time.Duration:
		if day := 24 * time.Hour; value >= 2*day && value%day == 0 {
			return strconv.Itoa(int(value/day)) + "d"
		}
		s := strings.TrimSuffix(value.String(), "0m0s")
		if strings.HasSuffix(s, "m0s") {
			s = strings.TrimSuffix(s, "0s")
		}
		if value == 0 {
			return ""
		}
		return s
	case *bool:
		return strconv.FormatBool(*value)
	case bool:
		return strconv.FormatBool(value)
	case map[string]int:
		var parts []string
		for name, n := range value {
			parts = append(parts, fmt.Sprintf("%s=%d", name, n))
		}
		slices.Sort(parts)
		return strings.Join(parts, ",")
	}
	if v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 {
		return ""
	}
	return fmt.Sprint(v.Interface())
}

// Every variable sets its field, and a flag does too.
func TestEverySettingCanBeSet(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"text": "x", "number": "77", "true or false": "false", "time": "77s", "bytes": "77KiB", "paths": "/x", "priorities": "x=7", "limits": "x=7",
		"URLs": "https://x/", "names": "x", "networks": "10.0.0.0/8",
	}
	special := map[string]string{
		"redis.url": "rediss://x", "database.url": "mysql://x/y", "database.replica_url": "mysql://r/y", "state_dir": "/x", "http.listen": ":77", "worker.admin_listen": ":78",
		"log.level": "debug", "log.format": "json", "worker.profile": "true", "worker.allow_commands": "true", "http.insecure": "true",
		"retention.failed_too": "true", "redis.allow_eviction": "true",
		"http.url": "https://x", "http.openid.issuer": "https://x", "http.ask_login": "true",
		"webhook.events": "transfer.failing", "smtp.address": "x:77", "smtp.from": "x@y.org", "smtp.tls": "tls",
		"redis.signing_keys": "0123456789 0123456789 0123456789", "journal.dir": "/x", "journal.compression": "gzip",
		"group.max_size": "777", "group.limit": "7777",
		"record.max_delay": "7s", "dispatch.interval": "7s", // short enough for worker.grace and dispatch.resend
	}
	for _, s := range config.Settings() {
		value := values[s.Unit()]
		if v, ok := special[s.Key]; ok {
			value = v
		}
		key := strings.ReplaceAll(s.Key, "*", "x")
		before, after := make(map[string]reflect.Value), make(map[string]reflect.Value)
		env := []string{
			home, "BALER_GROUP_LIMIT=9999",
			"BALER_REDIS_URL=rediss://h", "BALER_REDIS_TLS_CERT=c", "BALER_REDIS_TLS_KEY=k", // which belong together
			"BALER_SMTP_FROM=baler@y.org", "BALER_HTTP_TLS_CERT=c", "BALER_HTTP_TLS_KEY=k",
			"BALER_HTTP_URL=https://h", "BALER_HTTP_OPENID_ISSUER=https://h", "BALER_HTTP_OPENID_CLIENT_ID=c", "BALER_HTTP_OPENID_OPERATORS=o",
			"BALER_DATABASE_URL=mysql://h/b", "BALER_DATABASE_TLS_CERT=c", "BALER_DATABASE_TLS_KEY=k",
		}
		leaves("", reflect.ValueOf(load(t, config.Sources{Env: env})), before)
		byFlag := load(t, config.Sources{Env: env, Flags: map[string]any{key: value}})
		if s.Variable == "" {
			if reflect.DeepEqual(byFlag.Handlers["x"], config.HandlerSettings{}) {
				t.Errorf("%s: a flag sets nothing", key)
			}
			continue
		}
		byVariable := load(t, config.Sources{Env: append(env, s.Variable+"="+value)})
		leaves("", reflect.ValueOf(byVariable), after)
		if reflect.DeepEqual(before[s.Key].Interface(), after[s.Key].Interface()) {
			t.Errorf("%s=%s sets nothing", s.Variable, value)
		}
		if !reflect.DeepEqual(byFlag, byVariable) {
			t.Errorf("%s: a flag and a variable set different things", key)
		}
	}
}

const document = "../docs/configuration.md"

// The documentation's table is the one that the settings give.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(document)
	testkit.Must(t, err)
	const begin, end = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"
	head, rest, ok := strings.Cut(string(source), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has lost the marks around its table", document)
	}
	table := settingsTable()
	if *update {
		testkit.WriteFile(t, document, head+begin+table+end+tail)
		return
	}
	if old != table {
		t.Errorf("the table in %s is out of date; run go test ./config -update", document)
	}
}

func settingsTable() string {
	var b strings.Builder
	b.WriteString("| Setting | Variable | Default | Unit | What it does |\n|---|---|---|---|---|\n")
	for _, s := range config.Settings() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.Key, code(s.Variable), code(s.Default), s.Unit(), s.Help)
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return "–"
	}
	return "`" + s + "`"
}
