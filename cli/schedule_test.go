package cli

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

func (s *testEnv) schedule(name string) scheduleObject {
	s.t.Helper()
	for line := range strings.Lines(s.must(exitOK, "schedule", "--json").stdout) {
		var o scheduleObject // fields that are left out are empty
		testkit.Must(s.t, json.Unmarshal([]byte(line), &o))
		if o.Name == name {
			return o
		}
	}
	return scheduleObject{}
}

// runSchedule asks for a run, and waits until it is handed over.
func (s *testEnv) runSchedule(name string) (o scheduleObject) {
	s.t.Helper()
	before := s.schedule(name)
	s.must(exitOK, "schedule", "run", name)
	testkit.Eventually(s.t, 2*time.Minute, func() error {
		o = s.schedule(name)
		same := o.LastAt == nil || before.LastAt != nil && o.LastAt.Equal(*before.LastAt)
		if same || o.LastTransfer == "" && o.LastError == "" {
			return errors.New("it has not run yet")
		}
		return nil
	})
	return o
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_ROOTS="+s.path("in"))
	file := s.file("in/a.txt", "alpha")
	s.file("elsewhere/b.txt", "beta")
	contains(t, "none", s.must(exitOK, "schedule").stdout, "There are no schedules.")
	contains(t, "add", s.must(exitOK, "schedule", "add", "daily", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", s.path("in")).stdout, "Schedule daily runs next at ")
	s.must(exitOK, "schedule", "add", "check", "--cron", "@daily", "--recipe", "fixity", s.path("in"))
	for _, c := range []struct{ args, want string }{
		{"add daily --cron @daily " + s.path("in"), "there is a schedule of this name: daily"},
		{"add x --cron @daily " + s.path("elsewhere"), "lies outside of the folders that the server may read (BALER_ROOTS)"},
		{"add x --cron @dayly " + s.path("in"), "is not a cron expression"},
		{"add x --cron @daily --zone Berlin " + s.path("in"), `"Berlin" is not a time zone`},
		{"add x --cron @daily --overlap maybe " + s.path("in"), "give skip, queue or allow"},
		{"add x --cron @daily --recipe nope " + s.path("in"), `the server knows no recipe named "nope"`},
		{"add x --cron @daily --recipe fixity --overlap allow " + s.path("in"), "cannot overlap; give skip or queue"},
		{"add X --cron @daily " + s.path("in"), "a name has only small letters"},
		{"run nope", "no such schedule: nope"}, {"pause nope", "no such schedule: nope"}, {"remove nope", "no such schedule: nope"},
	} {
		contains(t, c.args, s.must(exitError, strings.Fields("schedule "+c.args)...).stderr, c.want)
	}
	stdout, _, stop := s.start("serve", "--worker", "--listen", "127.0.0.1:0")
	testkit.Eventually(t, time.Minute, func() error { return lacks(stdout.String(), "\n") })

	o := s.runSchedule("daily")
	if o.LastError != "" {
		t.Errorf("%+v", o)
	}
	testkit.Eventually(t, time.Minute, func() error {
		return lacks(s.must(exitOK, "status", o.LastTransfer).stdout, "completed")
	})
	contains(t, "its transfer", s.must(exitOK, "status", o.LastTransfer).stdout, "daily")

	if o = s.runSchedule("check"); o.LastError != "" {
		t.Errorf("a first comparison: %+v", o)
	}
	info, err := os.Stat(file)
	testkit.Must(t, err)
	s.file("in/a.txt", "alphA")
	testkit.Must(t, os.Chtimes(file, info.ModTime(), info.ModTime()))
	if o = s.runSchedule("check"); o.LastError != "damaged files: 1, missing: 0, unreadable: 0" {
		t.Errorf("a damaged file: %+v", o)
	}
	testkit.Must(t, os.RemoveAll(s.path("in")))
	if o = s.runSchedule("daily"); !strings.Contains(o.LastError, s.path("in")) || o.LastTransfer != "" {
		t.Errorf("without its folder: %+v", o)
	}
	log := s.must(exitOK, "audit", "--json", "--limit", "1000").stdout
	if n := strings.Count(log, `"who":"schedule `); n != 4 {
		t.Errorf("%d lines of schedules in\n%s", n, log)
	}
	s.must(exitOK, "schedule", "pause", "daily")
	contains(t, "paused", s.must(exitOK, "schedule").stdout, "paused")
	s.must(exitOK, "schedule", "remove", "daily")
	equal(t, "left", strconv.Itoa(strings.Count(s.must(exitOK, "schedule", "list", "--json").stdout, "\n")), "1")
	stop()
}
