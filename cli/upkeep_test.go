package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/doctor"
	"github.com/balerhq/baler/internal/testkit"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newTestEnv(t)
			s.env = append(s.env, "BALER_DATABASE_AUTO_MIGRATE=false")
			if kind == "mysql" {
				s.env = append(s.env, "BALER_DATABASE_URL="+testkit.MySQL(t))
			}
			contains(t, "status", s.must(exitError, "status").stderr, "run `baler migrate`")
			contains(t, "check", s.must(exitError, "migrate", "--check").stdout, "pending 0001_initial\n", "run 'baler migrate'.\n")
			contains(t, "migrate", s.must(exitOK, "migrate").stdout, "applied 0001_initial\n", " is up to date.\n")
			equal(t, "status", s.must(exitOK, "status", "--json").stdout, "")
			var m migration
			if err := json.Unmarshal([]byte(s.must(exitOK, "migrate", "--json").stdout), &m); err != nil {
				t.Fatal(err)
			}
			if m.Type != "migration" || m.Applied == nil || m.Pending == nil || len(m.Applied)+len(m.Pending) != 0 {
				t.Errorf("second time: %+v", m)
			}
		})
	}
}

// checks are what doctor reports, by name.
func checks(t *testing.T, r ran) map[string]finding {
	t.Helper()
	all := make(map[string]finding)
	for line := range strings.Lines(r.stdout) {
		var f finding
		if err := json.Unmarshal([]byte(line), &f); err != nil || f.Type != "check" {
			t.Fatalf("%v in %s", err, line)
		}
		all[f.Check] = f
	}
	return all
}

func TestDoctorOfAFreshHost(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for name, f := range checks(t, s.must(exitOK, "doctor", "--json")) {
		if f.Status != doctor.StatusOK {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) > 0 {
		t.Errorf("doctor left %v behind (%v)", entries, err)
	}
	s.must(exitOK, "status") // makes the database
	contains(t, "table", s.must(exitOK, "doctor").stdout, "CHECK         STATUS", "none is running", "→ start one with 'baler worker'")
}

func TestDoctorOfServices(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.must(exitOK, "migrate")
	all := checks(t, s.must(exitOK, "doctor", "--json", "--roots", s.dir))
	for _, name := range []string{
		"roots", "signatures", "database", "durability", "database clock", "migrations", "workers", "queue", "eviction", "queue clock",
		"writes", "handlers", "backlog", "queue memory", "queue writes", "queue rights", "queues",
	} {
		if all[name].Detail == "" {
			t.Errorf("there is no check %q in %v", name, all)
		}
	}
}

func TestDoctorReportsFailedChecks(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_OUTPUTS="+s.path("nowhere"))
	all := checks(t, s.must(exitError, "doctor", "--json", "--roots", s.path("nowhere"),
		"--redis", "redis://:secret@127.0.0.1:1", "--database", "mysql://u:secret@127.0.0.1:1/x"))
	for _, name := range []string{"roots", "outputs", "database", "queue"} {
		f := all[name]
		if f.Status != doctor.StatusError {
			t.Errorf("%s: %+v", name, f)
		}
		if strings.Contains(f.Detail, "secret") {
			t.Errorf("%s shows a password: %s", name, f.Detail)
		}
	}
}

func TestRecipes(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	listed := s.must(exitOK, "recipe", "list").stdout
	contains(t, "list", strings.Join(strings.Fields(listed), " "), " default identify Checksum and format of every file, which is read once. ",
		" preservation checksum, verify, virus-scan, … 5 more Everything for an archive, ")
	contains(t, "list in JSON", s.must(exitOK, "recipe", "list", "--json").stdout,
		`{"type":"recipe","recipe":"checksum","description":"Checksum of every file.","digest":"`,
		`"steps":[{"step":"checksum","handler":"checksum"}]}`)
	mine := s.file("mine.yaml", s.must(exitOK, "recipe", "show", "default").stdout)
	again := s.must(exitOK, "recipe", "show", mine).stdout
	equal(t, "a recipe shown and read again", again, s.must(exitOK, "recipe", "show", "default").stdout)
	equal(t, "validate", s.must(exitOK, "recipe", "validate", mine).stdout, "default is valid.\n")
	equal(t, "validate in JSON", s.stable(s.must(exitOK, "recipe", "validate", mine, "--json").stdout),
		`{"type":"validation","recipe":"DIR/mine.yaml","valid":true,"problems":[]}`+"\n")
	bad := s.file("bad.yaml", "name: bad\nsteps:\n  - handler: chcksum\n")
	r := s.must(exitError, "recipe", "validate", bad, "--json")
	contains(t, "problems", s.stable(r.stdout), `"valid":false,"problems":["DIR/bad.yaml:3: step chcksum: no handler is called`)
	contains(t, "unknown recipe", s.must(exitError, "recipe", "show", "defalt").stderr, `did you mean "default"?`)
}

func TestVersion(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	contains(t, "version", s.must(exitOK, "version").stdout, "baler ", "go1.")
	contains(t, "--version", s.must(exitOK, "--version").stdout, "baler ")
	var b build
	if err := json.Unmarshal([]byte(s.must(exitOK, "version", "--json").stdout), &b); err != nil || b.Type != "version" || b.Go == "" {
		t.Errorf("%+v, %v", b, err)
	}
}
