package cli

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/bench"
	"github.com/balerhq/baler/internal/bench/simulation"
	"github.com/balerhq/baler/internal/testkit"
)

// newBenchEnv is one where servers are made from the account's own cache, and
// what they leave behind is seen.
func newBenchEnv(t *testing.T) *testEnv {
	t.Helper()
	s := newTestEnv(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	// At the top, for the sockets of servers have short names.
	tmp, err := os.MkdirTemp("", "b") //nolint:usetesting // as said
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
			t.Errorf("left in the temporary folder: %v, %v", left, err)
		}
		if err := os.RemoveAll(tmp); err != nil {
			t.Error(err)
		}
	})
	s.env = append(s.env, "XDG_CACHE_HOME="+cache, "TMPDIR="+tmp)
	return s
}

// benchLines runs a bench in the real program, which is its own worker, and reads
// its output.
func benchLines[T any](s *testEnv, args ...string) []T {
	s.t.Helper()
	var stderr buffer
	cmd := exec.CommandContext(s.t.Context(), binary(s.t), append([]string{"bench", "--json"}, args...)...)
	cmd.Env, cmd.Stderr = s.env, &stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("%v: %s", err, stderr.String())
	}
	machine, measured, _ := strings.Cut(string(out), "\n")
	contains(s.t, "the first line", machine, `"type":"machine"`, `"cores":`, `"flush_log_at_trx_commit":"1"`)
	var all []T
	for line := range strings.Lines(measured) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			s.t.Fatalf("%v in %s", err, line)
		}
		all = append(all, v)
	}
	return all
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestBenchPipeline(t *testing.T) {
	t.Parallel()
	type line struct {
		bench.Measurement
		Name string
		Want *float64
		Got  *float64
		Met  *bool
	}
	s := newBenchEnv(t)
	page, charts := filepath.Join(t.TempDir(), "page.html"), filepath.Join(t.TempDir(), "charts.svg")
	all := benchLines[line](s, "pipeline", "--files", "200", "--workers", "1,2", "--batch", "64", "--repeat", "1",
		"--html", page, "--svg", charts)
	contains(t, "the page", content(t, page), "<svg ", "Targets", "innodb_flush_log_at_trx_commit", "bulk 2×64")
	contains(t, "the charts", content(t, charts), "<?xml", "Files a second", "limit: ")
	var ways []bench.Variant
	var targets []string
	for _, l := range all {
		switch l.Type {
		case "measurement":
			if l.FilesPerSecond <= 0 || l.Seconds <= 0 || l.Repeat != 1 || (l.Variant != bench.VariantCPU && l.RatioToLimit <= 0) {
				t.Errorf("%+v", l.Measurement)
			}
			ways = append(ways, l.Variant)
		case "target":
			if l.Want == nil || l.Got == nil || l.Met == nil {
				t.Errorf("target %q lacks a part", l.Name)
			}
			targets = append(targets, l.Name)
		default:
			t.Errorf("a line of type %q", l.Type)
		}
	}
	want := []bench.Variant{
		bench.BaselineInsert, bench.BaselineInsert, bench.BaselineInsert, bench.BaselineInsertShort, bench.BaselineInsertShort, bench.BaselineInsertShort, bench.VariantPerFile, bench.VariantAsynqGroup,
		bench.VariantBulk, bench.VariantBulk, bench.VariantGroup, bench.VariantGroup, bench.VariantCPU, bench.VariantCPU,
	}
	if !slices.Equal(ways, want) {
		t.Errorf("measured %v, want %v", ways, want)
	}
	for _, name := range []string{"bulk, of the limit", "group, times asynq-group", "two workers, times one, computing"} {
		if !slices.Contains(targets, name) {
			t.Errorf("no target %q among %q", name, targets)
		}
	}
}

func TestBenchBatch(t *testing.T) {
	t.Parallel()
	s := newBenchEnv(t)
	all := benchLines[bench.Measurement](s, "batch", "--files", "300", "--workers", "1", "--batch", "10,100", "--repeat", "1")
	var batches []int
	for _, m := range all {
		if m.FilesPerSecond <= 0 || m.RatioToLimit <= 0 {
			t.Errorf("%+v", m)
		}
		if m.Variant == bench.VariantBulk {
			batches = append(batches, m.Batch)
		}
	}
	if !slices.Equal(batches, []int{10, 100}) {
		t.Errorf("batches of %v", batches)
	}
}

func TestBenchSimulate(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.must(exitUsage, "bench", "simulate", "--per-file", "0s")
	r := s.must(exitOK, "bench", "simulate", "--workers", "1,50", "--lasting", "10s", "--json")
	var fleets []simulation.Fleet
	for line := range strings.Lines(r.stdout) {
		var f simulation.Fleet
		testkit.Must(t, json.Unmarshal([]byte(line), &f))
		fleets = append(fleets, f)
	}
	if len(fleets) != 2 || fleets[1].Slots != 200 || fleets[1].Files != 200*1000 || fleets[1].Killed != 5 || fleets[1].Lost == 0 {
		t.Errorf("%+v", fleets)
	}
	contains(t, "table", s.must(exitOK, "bench", "simulate", "--workers", "10", "--lasting", "10s", "--svg", s.path("f.svg")).stdout, "AGAIN AFTER")
}

func TestBenchMakespan(t *testing.T) {
	t.Parallel()
	type line struct {
		bench.Makespan
		Name string
		Want *float64
		Got  *float64
		Met  *bool
	}
	works, targets := 0, 0
	for _, l := range benchLines[line](newBenchEnv(t), "makespan", "--files", "500", "--repeat", "1") {
		switch l.Type {
		case "makespan":
			works++
			if l.Ideal <= 0 || l.Seconds < l.Ideal || l.Ratio < 1 || l.Files < 9 || l.Workers < 2 || l.Repeat != 1 {
				t.Errorf("%+v", l.Makespan)
			}
		case "target":
			targets++
			if l.Want == nil || l.Got == nil || l.Met == nil {
				t.Errorf("target %q lacks a part", l.Name)
			}
		}
	}
	if works != 4 || targets != works {
		t.Errorf("%d kinds of work, %d targets", works, targets)
	}
}

func TestBenchCommitOnGivenServers(t *testing.T) {
	t.Parallel()
	s := newBenchEnv(t)
	private := testkit.NewMySQLServer(t) // a setting of the whole server is changed
	s.env = append(s.env, "BALER_REDIS_URL="+testkit.Redis(t), "BALER_DATABASE_URL="+private.URL(), "BALER_ROOTS="+s.dir)
	all := benchLines[bench.Measurement](s, "commit", "--files", "50", "--repeat", "1")
	var got []string
	for _, m := range all {
		if m.Flush == nil || m.Files != 50 || m.FilesPerSecond <= 0 {
			t.Fatalf("%+v", m)
		}
		got = append(got, string(m.Variant)+[]string{" not flushed", " flushed"}[*m.Flush])
	}
	if want := []string{"per-file flushed", "bulk flushed", "per-file not flushed", "bulk not flushed"}; !slices.Equal(got, want) {
		t.Errorf("measured %q, want %q", got, want)
	}
	if f := checks(t, s.must(exitOK, "doctor", "--json"))["durability"]; !strings.Contains(f.Detail, "=1") {
		t.Errorf("the server's setting was not put back: %+v", f)
	}
	r := s.must(exitError, "bench", "commit")
	contains(t, "a second time", r.stderr, "the database holds transfers", "--yes")
}

// interruptedBench runs bench until it has said when, and interrupts it so many times. It checks how bench ends,
// and returns what it has printed.
func interruptedBench(s *testEnv, when string, times int, args ...string) (stdout string) {
	s.t.Helper()
	var out, said buffer
	cmd := exec.Command(binary(s.t), append([]string{"bench"}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, &out, &said
	testkit.Must(s.t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	testkit.Eventually(s.t, 5*time.Minute, func() error { return lacks(said.String(), when) })
	for range times {
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.t.Fatal(err)
		}
	}
	if err := <-ended; err == nil {
		s.t.Error("it ended as if it was complete")
	}
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		s.t.Errorf("exit code %d, want %d: %s", code, exitInterrupted, said.String())
	}
	contains(s.t, "what it said", said.String(), "This takes about ", "Interrupted; these are the measurements made so far.")
	return out.String()
}

func TestBenchInterruptedStopsItsServers(t *testing.T) {
	t.Parallel()
	// Twice, as timeout(1) does: to the process and to its group.
	stdout := interruptedBench(newBenchEnv(t), "asynq-group", 2, "pipeline", "--files", "1000", "--via", "group", "--workers", "1")
	contains(t, "what was measured", stdout, "WAY ", "\nlimit ", "\nper-file ")
}

func TestBenchRun(t *testing.T) {
	t.Parallel()
	s := newBenchEnv(t)
	content := t.TempDir()
	testkit.WriteTree(t, content, "a.txt", "b/c.txt", "b/d.txt")
	// It measures the embedded database, wherever the settings point.
	s.env = append(s.env, "BALER_DATABASE_URL=mysql://nobody@127.0.0.1:1/none", "BALER_REDIS_URL=redis://127.0.0.1:1")
	var stderr buffer
	cmd := exec.CommandContext(t.Context(), binary(t), "bench", "run", "--json", "--files", "300", "--repeat", "2", "--tree", content)
	cmd.Env, cmd.Stderr = s.env, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	type line struct {
		bench.EmbeddedMeasurement

		Name string `json:"name"`
	}
	var ways, targets []string
	for text := range strings.Lines(string(out)) {
		var l line
		testkit.Must(t, json.Unmarshal([]byte(text), &l))
		if l.Type == "target" {
			targets = append(targets, l.Name)
			continue
		}
		ways = append(ways, string(l.Variant))
		files := 300
		if l.Variant == bench.VariantHash || l.Variant == bench.VariantRun {
			files = 3
		}
		if l.Files != files || l.Seconds <= 0 || l.Repeat != 1+(len(ways)-1)/5 {
			t.Errorf("%s", text)
		}
		// A process that lasts some milliseconds may end before its memory is read.
		if strings.HasPrefix(string(l.Variant), "run") && (l.CPUSeconds <= 0 || l.CPUPerFile <= 0) {
			t.Errorf("nothing was used: %s", text)
		}
	}
	round := []string{"find", "run noop", "run again", "hash", "run"}
	if !slices.Equal(ways, slices.Concat(round, round)) {
		t.Errorf("measured %q", ways)
	}
	if !slices.Contains(targets, "run noop, µs a file") || !slices.Contains(targets, "memory of any run, MiB") {
		t.Errorf("targets %q", targets)
	}
	contains(t, "what it said", stderr.String(), "This takes about ")
}

func TestBenchRunInterrupted(t *testing.T) {
	t.Parallel()
	stdout := interruptedBench(newBenchEnv(t), "[1/1000] run again", 1, "run", "--files", "300", "--repeat", "1000")
	contains(t, "what was measured", stdout, "WAY ", "\nfind ", "\nrun noop ")
}

func TestBenchCoprocessInterrupted(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	stdout := interruptedBench(newBenchEnv(t), "process: 4 of 2000 files", 1, "coprocess", "--files", "2000", "--batch", "2")
	contains(t, "what was measured", stdout, "WAY ", "\nprocess ")
}

func TestBenchUsage(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"bench pipelin":                `unknown command "pipelin"; did you mean "pipeline"?`,
		"bench pipeline --files 0":     `invalid argument "0" for "--files" flag: give a number from 1`,
		"bench pipeline --workers 1,0": `invalid argument "1,0" for "--workers" flag: give a number from 1`,
		"bench pipeline --batch x":     `invalid argument "x" for "--batch" flag: give a number from 1`,
		"bench pipeline --via auto":    `unknown way "auto": one of group, bulk`,
		"bench commit --batch -1":      `invalid argument "-1" for "--batch" flag: give a number from 1`,
		"bench latency --load 1,0":     `invalid argument "1,0" for "--load" flag: give a number from 1`,
		"bench latency --via x":        `unknown way "x": one of group, bulk`,
		"bench run --files 0":          `invalid argument "0" for "--files" flag: give a number from 1`,
		"bench run --tree /no/such":    `--tree: stat /no/such: no such file or directory`,
		"bench run --tree /dev/null":   `--tree: /dev/null is not a folder`,
		"bench run --svg x.svg":        `bench run draws no charts; leave out --html and --svg`,
		"bench simulate --kill 100":    `--kill 100: some workers must live; give 99 at most`,
		"bench load --records 0":       `invalid argument "0" for "--records" flag: give a number from 1`,
	} {
		r := newTestEnv(t).must(exitUsage, strings.Fields(args)...)
		contains(t, args, r.stderr, want)
	}
}
