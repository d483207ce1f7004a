package config_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

func hides(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(testkit.Canary)) {
		t.Errorf("%s:\n%v", what, err)
	}
}

// Errors do not show the secret of an address, whatever setting has the address.
func TestErrorsShowNoSecrets(t *testing.T) {
	t.Parallel()
	for _, address := range testkit.CanaryURLs() {
		flags := make(map[string]any)
		sections := make(map[string][]string)
		for _, s := range config.Settings() {
			flags[strings.ReplaceAll(s.Key, "*", "x")] = address
			if section, name, nested := strings.Cut(s.Key, "."); nested && section != "handlers" {
				sections[section] = append(sections[section], name)
			}
		}
		_, err := config.Load(config.Sources{Env: []string{home}, Flags: flags})
		hides(t, "flags with "+address, err)
		for _, form := range []string{"  %s: %s\n", "  %s: [%s]\n", "  %s: {%s: 1}\n", "  %s: [{a: %s}]\n"} {
			var file strings.Builder
			for section, names := range sections {
				fmt.Fprintf(&file, "%s:\n", section)
				for _, name := range names {
					fmt.Fprintf(&file, form, name, strconv.Quote(address))
				}
			}
			_, err := config.Load(config.Sources{Env: []string{home}, File: write(t, file.String())})
			if err == nil {
				t.Errorf("%s is accepted everywhere", address)
			}
			hides(t, file.String(), err)
		}
		d, err := config.ParseDatabase(address)
		hides(t, address, err)
		r, err := config.ParseRedis(address)
		hides(t, address, err)
		hides(t, "redacted "+address, fmt.Errorf("%s %s", d.Redacted(), r.Redacted()))
	}
}

// A secret in a file whose YAML is not what its author thinks.
func TestSecretsThatAreNotText(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"7777777", "[7777777]", "{7777777: 1}", "7777777.5", "2077-07-07", "*cAnArY7", "&cAnArY7", "!cAnArY7", "@cAnArY7", "`cAnArY7", "%cAnArY7",
		`"cAnArY7`, "'cAnArY7", "{cAnArY7", "[cAnArY7", "cAnArY7: b", "|cAnArY7", ">cAnArY7", "[{cAnArY7: 1}]", "\n\tcAnArY7", `"\cAnArY7"`, "[[cAnArY7]]",
	} {
		for _, key := range []string{"webhook: {secret: %s}", "webhook:\n  secret: %s\n", "http:\n  token: %s\n", "redis:\n  url: %s\n", "webhook:\n  urls: %s\n"} {
			content := strings.Replace(key, "%s", value, 1)
			_, err := config.Load(config.Sources{Env: []string{home}, File: write(t, content)})
			hides(t, content, err)
			if err != nil && strings.Contains(err.Error(), "7777777") {
				t.Errorf("%s:\n%v", content, err)
			}
		}
	}
	// Without a space, the secret is a part of the key in YAML.
	for _, content := range []string{"webhook:\n  ? secret:cAnArY7\n", "webhook:\n  \"secret:cAnArY7\":\n"} {
		_, err := config.Load(config.Sources{Env: []string{home}, File: write(t, content)})
		hides(t, content, err)
		if err == nil {
			t.Errorf("%s is accepted", content)
		}
	}
}
