package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args  string
		error string
		usage string
	}{
		{"rnu", `unknown command "rnu"; did you mean "run"?`, "baler"},
		{"frobnicate", `unknown command "frobnicate"`, "baler"},
		{"--nope", "unknown flag: --nope", "baler"},
		{"run", "requires at least 1 arg(s), only received 0", "baler run PATH..."},
		{"run --nope", "unknown flag: --nope", "baler run PATH..."},
		{"run . --via sideways", `unknown way "sideways": one of auto, group, bulk`, "baler run PATH..."},
		{"run . --concurrency many", `invalid argument "many" for "--concurrency" flag`, "baler run PATH..."},
		{"run . --webhook ftp://h/", "--webhook number 1 is not an HTTP address; write it as https://host/path", "baler run PATH..."},
		{"run -", "run reads no list from standard input, because running again needs the same paths", "baler run PATH..."},
		{"submit", "requires at least 1 arg(s), only received 0", "baler submit PATH..."},
		{"submit - other", "- is standard input and must be the only path", "baler submit PATH..."},
		{"submit . --null", "--null needs paths from standard input or a file: submit - --null, submit --files-from FILE --null", "baler submit PATH..."},
		{"submit . --via x", `unknown way "x": one of auto, group, bulk`, "baler submit PATH..."},
		{"submit . --key " + strings.Repeat("k", 300), `invalid argument "` + strings.Repeat("k", 300) +
			`" for "--key" flag: an idempotency key has 255 bytes at most, not 300`, "baler submit PATH..."},
		{"submit . --queue " + strings.Repeat("q", 80), `invalid argument "` + strings.Repeat("q", 80) +
			`" for "--queue" flag: the name of a queue has 64 characters at most, not 80`, "baler submit PATH..."},
		{"limit --queue " + strings.Repeat("q", 80), `invalid argument "` + strings.Repeat("q", 80) +
			`" for "--queue" flag: the name of a queue has 64 characters at most`, "baler limit"},
		{"worker extra", `unknown command "extra" for "baler worker"`, "baler worker"},
		{"serve extra", `unknown command "extra" for "baler serve"`, "baler serve"},
		{"status a b", "accepts at most 1 arg(s), received 2", "baler status [ID]"},
		{"status --watch", "--watch needs the id of a transfer", "baler status [ID]"},
		{"status --limit 0", "--limit 0: give a number from 1", "baler status [ID]"},
		{"submit --resume x .", "--resume takes no paths", "baler submit PATH..."},
		{"submit --resume x - .", "--resume takes no paths", "baler submit PATH..."},
		{"submit --resume x --key k", "--resume cannot be combined with --key: it is stored with the transfer", "baler submit PATH..."},
		{"submit --resume x --webhook http://h", "--resume cannot be combined with --webhook: it is stored with the transfer", "baler submit PATH..."},
		{"submit --resume", "flag needs an argument: --resume", "baler submit PATH..."},
		{"retry", "accepts 1 arg(s), received 0", "baler retry ID"},
		{"retry x --outcome lost", `unknown outcome "lost"`, "baler retry ID"},
		{"retry x --file -1", "--file -1: files are numbered from 1", "baler retry ID"},
		{"cancel", "accepts 1 arg(s), received 0", "baler cancel ID"},
		{"pause a b", "accepts 1 arg(s), received 2", "baler pause ID"},
		{"resume", "accepts 1 arg(s), received 0", "baler resume ID"},
		{"reconcile now", `unknown command "now" for "baler reconcile"`, "baler reconcile"},
		{"queue puase", `unknown command "puase"; did you mean "pause"?`, "baler queue"},
		{"queue pause", "accepts 1 arg(s), received 0", "baler queue pause NAME"},
		{"workers drian x", `unknown command "drian"; did you mean "drain"?`, "baler workers"},
		{"workers drain", "accepts 1 arg(s), received 0", "baler workers drain NAME"},
		{"results", "accepts 1 arg(s), received 0", "baler results ID"},
		{"results x --outcome failed,lost", `unknown outcome "lost"`, "baler results ID"},
		{"results x --file 0", "--file 0: files are numbered from 1", "baler results ID"},
		{"recipe lst", `unknown command "lst"; did you mean "list"?`, "baler recipe"},
		{"recipe show", "accepts 1 arg(s), received 0", "baler recipe show RECIPE"},
		{"migrate now", `unknown command "now" for "baler migrate"`, "baler migrate"},
	} {
		t.Run(fmt.Sprintf("%.30s", c.args), func(t *testing.T) {
			t.Parallel()
			r := newTestEnv(t).must(exitUsage, strings.Fields(c.args)...)
			lines := strings.Split(r.stderr, "\n")
			if !strings.HasPrefix(lines[0], "error: "+c.error) || !strings.HasPrefix(lines[1], "usage: "+c.usage) {
				t.Errorf("stderr:\n%s\nwant error: %s\nwant usage: %s", r.stderr, c.error, c.usage)
			}
			equal(t, "stdout", r.stdout, "")
		})
	}
}

// A script whose variable is not set passes an empty path: it does not mean the
// current folder.
func TestEmptyPathIsNoFolder(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"run", ""}, {"run", ".", ""}, {"submit", ""}, {"load", "", "--into", "t"}} {
		r := newTestEnv(t).must(exitUsage, args...)
		contains(t, strings.Join(args, " "), r.stderr, "is empty; use . for the current folder")
	}
}

func TestSettingErrors(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_WORKER_CONCURENCY=2")
	r := s.must(exitError, "status", "--log-level", "loud")
	equal(t, "stderr", r.stderr, `error: BALER_WORKER_CONCURENCY: there is no such variable; did you mean BALER_WORKER_CONCURRENCY?
error: flag: log.level: "loud" must be debug, info, warn or error
`)
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	file := s.file("baler.yaml", "database: {url: 'sqlite:"+s.path("file.db")+"'}\n")
	check := func(want string, args ...string) {
		t.Helper()
		contains(t, "stdout", s.must(exitOK, append(args, "migrate")...).stdout, want+" is up to date")
	}
	check("sqlite:" + s.path(".local/state/baler/baler.db"))
	check("sqlite:"+s.path("file.db"), "--config", file)
	s.env = append(s.env, "BALER_DATABASE_URL=sqlite:"+s.path("env.db"))
	check("sqlite:"+s.path("env.db"), "--config", file)
	check("sqlite:"+s.path("flag.db"), "--config", file, "--database", "sqlite:"+s.path("flag.db"))
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	const started = "worker started"
	for _, c := range []struct {
		env  string
		args string
		logs bool
	}{
		{"", "", false},
		{"", "-v", true},
		{"", "--log-level info", true},
		{"BALER_LOG_LEVEL=info", "", true},
		{"BALER_LOG_LEVEL=info", "--log-level warn", false},
	} {
		s := newTestEnv(t)
		s.file("in/a", "a")
		s.env = append(s.env, c.env)
		r := s.must(exitOK, append(strings.Fields(c.args), "run", s.path("in"))...)
		if got := strings.Contains(r.stderr, started); got != c.logs {
			t.Errorf("%q %q: logs %v, want %v:\n%s", c.env, c.args, got, c.logs, r.stderr)
		}
	}
}

func TestEveryCommandIsExplained(t *testing.T) {
	t.Parallel()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: short %q, long %q, example %q", cmd.CommandPath(), cmd.Short, cmd.Long, cmd.Example)
		}
		for line := range strings.Lines(cmd.Long) {
			if len(strings.TrimSuffix(line, "\n")) > 100 && cmd.Parent().Name() != "completion" { // cobra's own texts
				t.Errorf("%s: too long for a terminal: %s", cmd.CommandPath(), line)
			}
		}
		if cmd.HasParent() && !cmd.Parent().HasParent() && cmd.GroupID == "" {
			t.Errorf("%s is in no group", cmd.CommandPath())
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(commandTree())
}

func TestHelpAndCompletion(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	contains(t, "help", s.must(exitOK).stdout, "Process files:", "\nRecipes, handlers and bags:\n", "\nAbout Baler itself:\n", "  run  ")
	contains(t, "help run", s.must(exitOK, "help", "run").stdout, "baler run PATH... [flags]", "Global Flags:")
	contains(t, "completion", s.must(exitOK, "completion", "bash").stdout, "__start_baler")
	contains(t, "recipes", s.must(exitOK, "__complete", "run", "--recipe", "").stdout, "checksum\n", "default\n")
	contains(t, "outcomes", s.must(exitOK, "__complete", "results", "--outcome", "").stdout, "timed_out\n")
	contains(t, "outcomes of retry", s.must(exitOK, "__complete", "retry", "x", "--outcome", "").stdout, "timed_out\n")
	contains(t, "workers", s.must(exitOK, "__complete", "workers", "").stdout, "drain\t", "list\t", "pause\t", "resume\t")
}

func TestOutputThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	var stderr buffer
	if code := newProgram(s.env).execute(t.Context(), []string{"recipe", "list"}, s.from, fullDisk{}, &stderr); code != exitError {
		t.Errorf("exit code %d, want %d", code, exitError)
	}
	equal(t, "stderr", stderr.String(), "error: write output: disk full\n")
}

// A report that is lost is an error, also when files failed, and is said once.
func TestReportThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.must(exitFailures, "run", "-q", "--missing-ok", s.path("gone"))
	for _, args := range []string{
		"results 1", "results 1 --json", "results 1 --format csv", "status 1", "status --watch 1 --json",
		"run --missing-ok " + s.path("gone"),
	} {
		var stderr buffer
		code := newProgram(s.env).execute(t.Context(), strings.Fields(args), s.from, fullDisk{}, &stderr)
		if n := strings.Count(stderr.String(), "disk full"); code != exitError || n != 1 {
			t.Errorf("%s: exit code %d, said %d times:\n%s", args, code, n, stderr.String())
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// An empty id is a mistake of the command line, as a script makes it with an unset variable.
func TestEmptyID(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for _, command := range []string{"status", "results", "cancel", "pause", "resume", "retry", "delete"} {
		contains(t, command, s.must(exitUsage, command, "").stderr, "error: the id of the transfer is empty; give its number", "usage: baler "+command)
	}
}

func TestNumbersInFlagsArePlain(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for value, want := range map[string]string{"99999999999999999999": "the number is too large", "x": "it is not a whole number"} {
		stderr := s.must(exitUsage, "results", "latest", "--file", value).stderr
		contains(t, value, stderr, `error: invalid argument "`+value+`" for "--file" flag: `+want)
	}
}
