package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/balerhq/baler/internal/decompress"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// fake is a database with transfers, and which of them the journal has.
type fake struct {
	transfers []tasks.Transfer
	journaled map[int64]time.Time
	content   map[string]string // by UUID
	exported  []string
	markErr   error
	readErr   map[string]error
	held      string // by whom the lease is
}

func (f *fake) Unjournaled(_ context.Context, after int64, limit int) (open []tasks.Transfer, err error) {
	for _, t := range f.transfers {
		if t.ID > after && t.State.Ended() && !f.journaled[t.ID].Equal(t.EndedAt) && len(open) < limit {
			open = append(open, t)
		}
	}
	return open, nil
}

func (f *fake) CountUnjournaled(ctx context.Context) (int64, error) {
	open, err := f.Unjournaled(ctx, 0, len(f.transfers))
	return int64(len(open)), err
}

func (f *fake) MarkJournaled(_ context.Context, id int64, ended time.Time) error {
	if f.markErr == nil {
		f.journaled[id] = ended
	}
	return f.markErr
}

func (f *fake) AcquireLease(_ context.Context, _, holder string, _ time.Duration) (bool, error) {
	if f.held == "" {
		f.held = holder
	}
	return f.held == holder, nil
}

func (f *fake) ReleaseLease(_ context.Context, _, holder string) error {
	if f.held == holder {
		f.held = ""
	}
	return nil
}

func (f *fake) export(_ context.Context, id string, w io.Writer) (tasks.Transfer, error) {
	f.exported = append(f.exported, id)
	for _, t := range f.transfers {
		if t.UUID != id {
			continue
		}
		if _, err := io.WriteString(w, f.content[id]); err != nil {
			return t, fmt.Errorf("export: %w", err)
		}
		return t, f.readErr[id]
	}
	return tasks.Transfer{}, tasks.ErrTransferNotFound
}

// ended is a database with n transfers that have ended.
func ended(n int) *fake {
	f := &fake{journaled: make(map[int64]time.Time), content: make(map[string]string), readErr: make(map[string]error)}
	for i := range n {
		t := tasks.Transfer{ID: int64(i + 1), UUID: fmt.Sprintf("t%d", i+1), State: tasks.StateCompleted, EndedAt: time.Unix(int64(1000+i), 0)}
		f.transfers = append(f.transfers, t)
		f.content[t.UUID] = t.UUID + "\n"
	}
	return f
}

func newJournal(t *testing.T, f *fake, change func(*Options)) *Journal {
	t.Helper()
	o := Options{
		Dir: t.TempDir(), MaxSize: 1 << 20, Compression: None, LeaseHolder: "worker/1", Export: f.export,
		Log: slog.New(slog.DiscardHandler), Now: time.Now,
	}
	if change != nil {
		change(&o)
	}
	j := New(f, o, prometheus.NewRegistry())
	t.Cleanup(func() { j.end(t.Context()) })
	return j
}

// content is what all files of a folder have, by their order.
func content(t *testing.T, dir string) (texts []string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, Prefix+"*"))
	testkit.Must(t, err)
	for _, name := range names {
		f, err := os.Open(name)
		testkit.Must(t, err)
		var r io.Reader = f
		switch {
		case strings.HasSuffix(name, ".zst"):
			z, done, err := decompress.Zstd(f)
			testkit.Must(t, err)
			defer done()
			r = z
		case strings.HasSuffix(name, ".gz"):
			r, err = decompress.Gzip(f)
			testkit.Must(t, err)
		}
		text, err := io.ReadAll(r)
		testkit.Must(t, err)
		testkit.Must(t, f.Close())
		texts = append(texts, string(text))
	}
	return texts
}

func TestTransfersAreWrittenOnce(t *testing.T) {
	for _, c := range Packings() {
		t.Run(string(c), func(t *testing.T) {
			f := ended(3)
			f.transfers = append(f.transfers, tasks.Transfer{ID: 9, UUID: "runs", State: tasks.StateRunning})
			j := newJournal(t, f, func(o *Options) { o.Compression = c })
			for range 2 {
				testkit.Must(t, j.Pass(t.Context()))
			}
			if got := content(t, j.opts.Dir); len(got) != 1 || got[0] != "t1\nt2\nt3\n" {
				t.Errorf("written %q", got)
			}
			// It was retried, and has ended again.
			f.transfers[1].EndedAt, f.content["t2"] = time.Unix(5000, 0), "t2 again\n"
			testkit.Must(t, j.Pass(t.Context()))
			if got := content(t, j.opts.Dir); len(got) != 1 || got[0] != "t1\nt2\nt3\nt2 again\n" {
				t.Errorf("written %q", got)
			}
			if n := testutil.ToFloat64(j.metrics.transfers); n != 4 {
				t.Errorf("counted %v", n)
			}
		})
	}
}

func TestFilesRotate(t *testing.T) {
	f := ended(4)
	j := newJournal(t, f, func(o *Options) { o.MaxSize = 4 })
	testkit.Must(t, j.Pass(t.Context()))
	if got := content(t, j.opts.Dir); len(got) != 2 {
		t.Errorf("files %q", got)
	}
	names, err := os.ReadDir(j.opts.Dir)
	testkit.Must(t, err)
	for _, n := range names {
		if !strings.Contains(n.Name(), "-worker_1-") || !strings.HasSuffix(n.Name(), ".jsonl") {
			t.Errorf("named %s", n.Name())
		}
		info, err := n.Info()
		testkit.Must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %s", n.Name(), info.Mode())
		}
	}
}

// Only the holder of the lease writes; another one continues when it has ended.
func TestOneProcessWrites(t *testing.T) {
	f := ended(1)
	first := newJournal(t, f, nil)
	second := newJournal(t, f, func(o *Options) { o.Dir, o.LeaseHolder = first.opts.Dir, "worker/2" })
	testkit.Must(t, first.Pass(t.Context()))
	f.transfers = append(f.transfers, ended(2).transfers[1])
	f.content["t2"] = "t2\n"
	testkit.Must(t, second.Pass(t.Context()))
	if got := content(t, first.opts.Dir); len(got) != 1 {
		t.Errorf("files %q", got)
	}
	first.end(t.Context())
	f.transfers = append(f.transfers, ended(3).transfers[2])
	f.content["t3"] = "t3\n"
	testkit.Must(t, second.Pass(t.Context()))
	if got := content(t, second.opts.Dir); len(got) != 2 || len(got[0])+len(got[1]) != len("t1\nt2\nt3\n") {
		t.Errorf("files %q", got)
	}
}

// A crash, or an error, between the file and the database writes the transfer again.
func TestTransferThatIsNotMarkedIsWrittenAgain(t *testing.T) {
	f := ended(1)
	f.markErr = errors.New("the database is away")
	j := newJournal(t, f, nil)
	if err := j.Pass(t.Context()); !errors.Is(err, f.markErr) {
		t.Errorf("passed: %v", err)
	}
	if n := testutil.ToFloat64(j.metrics.failures); n > 0 {
		t.Errorf("%v failures of the journal, which can be written", n)
	}
	f.markErr = nil
	testkit.Must(t, j.Pass(t.Context()))
	if got := content(t, j.opts.Dir); len(got) != 1 || got[0] != "t1\nt1\n" {
		t.Errorf("written %q", got)
	}
}

// A transfer that cannot be read leaves no trace in the file, and does not keep back the others.
func TestUnreadableTransferLeavesNoTrace(t *testing.T) {
	f := ended(3)
	f.readErr["t2"] = errors.New("its rows make no sense")
	f.content["t2"] = "the beginning of t2\n"
	j := newJournal(t, f, nil)
	if err := j.Pass(t.Context()); !errors.Is(err, f.readErr["t2"]) {
		t.Errorf("passed: %v", err)
	}
	if got := content(t, j.opts.Dir); len(got) != 1 || got[0] != "t1\nt3\n" {
		t.Errorf("written %q", got)
	}
	delete(f.readErr, "t2")
	testkit.Must(t, j.Pass(t.Context()))
	if got := content(t, j.opts.Dir); got[0] != "t1\nt3\nthe beginning of t2\n" {
		t.Errorf("written %q", got)
	}
}

// A folder that is missing fails each pass, is counted and logged, and loses nothing.
func TestMissingFolder(t *testing.T) {
	f := ended(1)
	var log bytes.Buffer
	j := newJournal(t, f, func(o *Options) {
		o.Dir = filepath.Join(t.TempDir(), "gone")
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	if next := j.pass(t.Context()); next != afterFailure {
		t.Errorf("tries again in %s", next)
	}
	if n := testutil.ToFloat64(j.metrics.failures); n != 1 || testutil.ToFloat64(j.metrics.waiting) != 1 {
		t.Errorf("%v failures, %v waiting", n, testutil.ToFloat64(j.metrics.waiting))
	}
	if !strings.Contains(log.String(), "journal.dir") || !strings.Contains(log.String(), "gone") {
		t.Errorf("logged %s", &log)
	}
	testkit.Must(t, os.Mkdir(j.opts.Dir, 0o700))
	testkit.Must(t, j.Pass(t.Context()))
	if got := content(t, j.opts.Dir); len(got) != 1 || got[0] != "t1\n" {
		t.Errorf("written %q", got)
	}
}

// A folder that is removed, or replaced by another one, while the process has a file open in it
// does not get transfers that count as written and are nowhere.
func TestFolderThatGoesAway(t *testing.T) {
	f := ended(1)
	dir := filepath.Join(t.TempDir(), "journal")
	testkit.Must(t, os.Mkdir(dir, 0o700))
	j := newJournal(t, f, func(o *Options) { o.Dir = dir })
	testkit.Must(t, j.Pass(t.Context()))
	more := func(n int) {
		all := ended(n)
		f.transfers, f.content = all.transfers, all.content
	}
	more(2)
	testkit.Must(t, os.Rename(dir, dir+"-away"))
	if err := j.Pass(t.Context()); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("without a folder it ends with %v", err)
	}
	if len(f.journaled) != 1 {
		t.Errorf("journaled: %v", f.journaled)
	}
	testkit.Must(t, os.Mkdir(dir, 0o700))
	testkit.Must(t, j.Pass(t.Context()))
	if got := content(t, dir); len(got) != 1 || got[0] != "t2\n" {
		t.Errorf("written %q", got)
	}
	more(3)
	j.opts.Export = func(ctx context.Context, id string, w io.Writer) (tasks.Transfer, error) {
		testkit.Must(t, os.Rename(dir, dir+"-while-written"))
		testkit.Must(t, os.Mkdir(dir, 0o700))
		j.opts.Export = f.export
		return f.export(ctx, id, w)
	}
	if err := j.Pass(t.Context()); !errors.Is(err, errMoved) {
		t.Errorf("when the folder goes while it writes, it ends with %v", err)
	}
	testkit.Must(t, j.Pass(t.Context()))
	if got := content(t, dir); len(got) != 1 || got[0] != "t3\n" || len(f.journaled) != 3 {
		t.Errorf("written %q, journaled %v", got, f.journaled)
	}
}

func TestOldFilesAreDeleted(t *testing.T) {
	f := ended(1)
	j := newJournal(t, f, func(o *Options) { o.Keep = time.Hour })
	old, foreign := filepath.Join(j.opts.Dir, Prefix+"x.jsonl"), filepath.Join(j.opts.Dir, "other.jsonl")
	for _, name := range []string{old, foreign} {
		testkit.Must(t, os.WriteFile(name, []byte("x"), 0o600))
		long := time.Now().Add(-2 * time.Hour)
		testkit.Must(t, os.Chtimes(name, long, long))
	}
	testkit.Must(t, j.Pass(t.Context()))
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old file: %v", err)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("another program's file: %v", err)
	}
	if got := content(t, j.opts.Dir); len(got) != 1 {
		t.Errorf("files %q", got)
	}
}

func TestWithoutAFolder(t *testing.T) {
	f := ended(1)
	j := newJournal(t, f, func(o *Options) { o.Dir = "" })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Run(ctx); !errors.Is(err, context.Canceled) || len(f.exported) > 0 {
		t.Errorf("ended with %v, exported %v", err, f.exported)
	}
	j.opts.Dir = t.TempDir() // for the end of the test
}
