package runner

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// attempt is one run of the handler of twoAttempts, which the test leads.
type attempt struct {
	worker string
	folder chan string   // the folder that it has made, with a file that is emitted
	end    chan struct{} // closed: it writes once more into its folder, and ends
	fails  bool
	stops  bool // it ends with its context, as when its worker stops
	answer chan error
	runner *Runner
}

// twoAttempts is one file whose handler makes a folder and emits a file in it.
type twoAttempts struct {
	*env
	out  string
	runs map[string]*attempt
}

func newTwoAttempts(t *testing.T, url string) *twoAttempts {
	t.Helper()
	r := &twoAttempts{env: newEnv(t, url, "name: t\nsteps: [{handler: make, retry: {attempts: 2}}]"), out: t.TempDir()}
	_, err := r.DB().ExecContext(t.Context(), "UPDATE transfers SET sources = '/data'")
	r.Must(err)
	r.runs = map[string]*attempt{}
	for _, name := range []string{"slow", "quick", "later"} {
		r.runs[name] = &attempt{worker: name, folder: make(chan string, 1), end: make(chan struct{}), answer: make(chan error, 1)}
	}
	r.handle("make", func(ctx context.Context, jobs []*handlers.Job) error {
		a := r.runs[jobs[0].Result().Worker]
		f, err := jobs[0].MakeFolder(ctx, r.out)
		if err != nil {
			return err
		}
		write := func(name string) error {
			return os.WriteFile(filepath.Join(f.Path, name), []byte(a.worker), 0o600)
		}
		if err := errors.Join(write("page"), f.Emit("page", "")); err != nil {
			return err
		}
		a.folder <- f.Path
		<-a.end
		if a.stops {
			<-ctx.Done()
		}
		if a.fails {
			err = errors.New("it fails")
		}
		return errors.Join(err, write("more"), f.Emit("more", ""), f.Close(), ctx.Err())
	})
	return r
}

// begin delivers a batch to a worker, and returns when it has its folder.
func (r *twoAttempts) begin(name string, b tasks.Batch) (folder string) {
	r.T.Helper()
	a := r.runs[name]
	outputs, err := handlers.NewOutputRoots([]string{r.out})
	r.Must(err)
	a.runner = r.worker(name, func(o *Options) { o.Outputs = outputs })
	go func() { a.answer <- r.deliver(a.runner, &b) }()
	select {
	case folder = <-a.folder:
	case err := <-a.answer:
		r.T.Fatalf("%s has ended: %v", name, err)
	}
	return filepath.Base(folder)
}

// end lets a run end, and returns the answer to its message.
func (r *twoAttempts) end(name string) error {
	r.T.Helper()
	close(r.runs[name].end)
	return <-r.runs[name].answer
}

// check compares what is below the folder for outputs, but for the marks, with the emitted files
// of the database; both must be those of one worker. Every folder must be one of the database, or
// have its mark.
func (r *twoAttempts) check(when, folder string, marks int) {
	r.T.Helper()
	var there []string
	marked := 0
	r.Must(filepath.WalkDir(r.out, func(path string, d fs.DirEntry, err error) error {
		switch {
		case strings.HasPrefix(d.Name(), ".baler-"):
			marked++
		case !d.IsDir():
			there = append(there, path)
		}
		return err
	}))
	rows, err := r.DB().QueryContext(r.T.Context(), "SELECT path FROM emitted_files ORDER BY path")
	r.Must(err)
	defer rows.Close()
	var known []string
	for rows.Next() {
		var path []byte
		r.Must(rows.Scan(&path))
		known = append(known, string(path))
	}
	r.Must(rows.Err())
	want := []string{filepath.Join(r.out, folder, "more"), filepath.Join(r.out, folder, "page")}
	if !slices.Equal(known, want) || !slices.Equal(there, want) || marked != marks {
		r.T.Errorf("%s: there is %q with %d marks, in the database are %q; want %q", when, there, marked, known, want)
	}
}

// A worker is taken for dead, and is only slow: its folder stays while it writes there, and it
// removes it when the result of the other attempt counts.
func TestFolderOfASlowWorker(t *testing.T) {
	for _, last := range []string{"slow", "quick"} {
		t.Run(last+" ends last", func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newTwoAttempts(t, url)
				b := r.Files(1)[0]
				if f := r.begin("slow", b); f != "f0001.txt.files" {
					t.Error(f)
				}
				r.lose(&b)
				if f := r.begin("quick", r.Open()[0]); f != "f0001.txt.files-2" {
					t.Error(f)
				}
				if _, err := os.Stat(filepath.Join(r.out, "f0001.txt.files", "page")); err != nil {
					t.Errorf("of the attempt that still runs: %v", err)
				}
				order := []string{"quick", "slow"}
				if last == "quick" {
					slices.Reverse(order)
				}
				for _, name := range order {
					r.Must(r.end(name))
				}
				r.check("at the end", "f0001.txt.files-2", 0)
			})
		})
	}
}

// The worker that was taken over is killed after the other one has recorded its result: what it
// leaves has its mark.
func TestFolderOfASlowWorkerThatIsKilled(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newTwoAttempts(t, url)
		b := r.Files(1)[0]
		r.begin("slow", b)
		r.lose(&b)
		r.begin("quick", r.Open()[0])
		r.Must(r.end("quick"))
		if _, err := os.Stat(filepath.Join(r.out, "f0001.txt.files", "page")); err != nil {
			t.Errorf("of the attempt that still runs: %v", err)
		}
		if marks, err := filepath.Glob(filepath.Join(r.out, ".baler-*")); len(marks) != 1 {
			t.Errorf("the marks are %q, %v", marks, err)
		}
		r.Must(r.end("slow"))
	})
}

// Two batches have the file, and both may record it. Whichever is first keeps its folder.
func TestFoldersOfAFileInTwoBatches(t *testing.T) {
	for first, folder := range map[string]string{"slow": "f0001.txt.files", "quick": "f0001.txt.files-2"} {
		t.Run(first+" is first", func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newTwoAttempts(t, url)
				b := r.Files(1)[0]
				other := r.double(&b)
				r.begin("slow", b)
				r.begin("quick", other)
				second := map[string]string{"slow": "quick", "quick": "slow"}[first]
				r.Must(r.end(first))
				r.Must(r.end(second))
				r.check("at the end", folder, 0)
			})
		})
	}
}

// An attempt that fails after it has emitted, and is tried again, leaves neither a folder nor a mark.
func TestFolderOfAFailedAttempt(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newTwoAttempts(t, url)
		b := r.Files(1)[0]
		r.runs["slow"].fails = true
		r.begin("slow", b)
		r.Must(r.end("slow"))
		if entries, err := os.ReadDir(r.out); len(entries) != 0 {
			t.Errorf("the failed attempt leaves %v, %v", entries, err)
		}
		if f := r.begin("quick", r.Open()[0]); f != "f0001.txt.files" {
			t.Error(f)
		}
		r.Must(r.end("quick"))
		r.check("at the end", "f0001.txt.files", 0)
	})
}

// The worker stops before the attempt has ended: the batch goes back, and the next attempt removes
// what this one has left.
func TestFolderOfABatchThatGoesBack(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newTwoAttempts(t, url)
		b := r.Files(1)[0]
		r.runs["slow"].stops = true
		r.begin("slow", b)
		r.runs["slow"].runner.Stop()
		if err := r.end("slow"); !errors.Is(err, errStopping) {
			t.Errorf("answered %v", err)
		}
		if marks, err := filepath.Glob(filepath.Join(r.out, ".baler-*")); len(marks) != 1 {
			t.Errorf("the marks are %q, %v", marks, err)
		}
		r.begin("quick", r.Open()[0])
		r.Must(r.end("quick"))
		r.check("at the end", "f0001.txt.files-2", 0)
	})
}

// A worker is killed after it has recorded a result and before it has removed the mark of its folder.
// Then the message comes again, of that batch or of another one with the file: whoever takes
// it removes the mark, and what an earlier attempt has left, and runs nothing.
func TestMarksOfAWorkerThatIsKilledAfterItsResult(t *testing.T) {
	for again, deliver := range map[string]func(r *twoAttempts, b, other *tasks.Batch) *tasks.Batch{
		"the batch is complete": func(_ *twoAttempts, b, _ *tasks.Batch) *tasks.Batch { return b },
		"the batch is open":     func(r *twoAttempts, _, other *tasks.Batch) *tasks.Batch { r.lose(other); return &r.Open()[0] },
	} {
		t.Run(again, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newTwoAttempts(t, url)
				b := r.Files(1)[0]
				other := r.double(&b)
				r.begin("slow", b)
				r.lose(&b)
				second := r.Open()[0]
				r.begin("quick", second)
				left := make(map[string][]byte)
				marks, err := filepath.Glob(filepath.Join(r.out, ".baler-*"))
				r.Must(err)
				for _, path := range marks {
					left[path], err = os.ReadFile(path)
					r.Must(err)
				}
				if len(left) != 2 {
					t.Fatalf("the marks are %q", marks)
				}
				r.Must(r.end("slow")) // its folder and its mark go
				r.Must(r.end("quick"))
				for path, content := range left {
					if strings.HasSuffix(path, "-1") { // a folder of this name is somebody else's by now
						r.Must(os.Mkdir(filepath.Join(r.out, "f0001.txt.files"), 0o700))
					}
					r.Must(os.WriteFile(path, content, 0o600))
				}
				mine := filepath.Join(r.out, "."+filepath.Base(marks[0])[1:]+"0") // begins as a mark does
				r.Must(os.WriteFile(mine, []byte("12345"), 0o600))

				outputs, err := handlers.NewOutputRoots([]string{r.out})
				r.Must(err)
				r.Must(r.deliver(r.worker("later", func(o *Options) { o.Outputs = outputs }), deliver(r, &second, &other)))
				r.check("after the message came again", "f0001.txt.files-2", 1)
				for _, path := range []string{mine, filepath.Join(r.out, "f0001.txt.files")} {
					if _, err := os.Stat(path); err != nil {
						t.Errorf("of somebody else: %v", err)
					}
				}
			})
		})
	}
}
