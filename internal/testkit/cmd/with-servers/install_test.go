package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestPlanInstallsMissingServersWithTheRightsThatTheyNeed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		manager string
		needs   []need
		prefix  []string
		want    []string
	}{
		{"apt-get", []need{needRedis, needMySQL}, []string{"sudo", "-n"}, []string{
			"sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq update",
			"sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -qq" +
				" install -y --no-install-recommends redis-server mariadb-server",
		}},
		{"dnf", []need{needMySQL}, nil, []string{"dnf install -y -q mariadb-server"}},
		{"apk", []need{needBrowser}, nil, []string{"apk add --no-cache -q chromium"}},
		{"apk", []need{needRedis}, nil, []string{"apk add --no-cache -q redis"}},
		{"brew", []need{needRedis, needMySQL}, nil, []string{"brew install -q redis mariadb"}},
	} {
		t.Run(test.want[0], func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(managers(), func(m manager) bool { return m.name == test.manager })
			var got []string
			for _, c := range managers()[i].plan(test.needs, test.prefix) {
				got = append(got, strings.Join(c, " "))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestInstallErrorSaysInOneLineWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // neither sudo nor a package manager
	var log bytes.Buffer

	err := install(t.Context(), []need{needRedis, needMySQL}, &log)

	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range []string{"redis-server", "mariadb-server", "BALER_TEST_REDIS_URL", "BALER_TEST_MYSQL_URL"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not name %s", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") || log.Len() > 0 {
		t.Errorf("more than one line: %q, %q", err, &log)
	}
}
