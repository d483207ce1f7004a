package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/journal"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/transfertest"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// manyFiles are more than two pages of files, and some pages of results.
const manyFiles = 2*filePage + 500

// completed makes a transfer of n files that has completed, and its export.
func completed(t *testing.T, url string, n int) (e *transfertest.Env, lines []byte) {
	t.Helper()
	e = transfertest.New(t, url, "name: t\nsteps: [{handler: noop}]")
	for _, b := range e.Files(n) {
		e.Must(recordAll(t.Context(), e.Store, &b))
	}
	return e, exported(t, e.Store, e.Transfer.UUID)
}

func recordAll(ctx context.Context, s *store.Store, b *tasks.Batch) error {
	c := &ledger.BatchCompletion{Batch: b, FollowUp: &ledger.FollowUp{Finished: int64(b.Items())}}
	for no := range b.Files.All() {
		c.Results = append(c.Results, tasks.Result{Step: b.Step, File: no, Outcome: tasks.OutcomeSucceeded, Attempt: 1, Output: strconv.FormatInt(no, 10)})
	}
	done, err := s.Record(ctx, []*ledger.BatchCompletion{c})
	if err == nil {
		err = done[0].Err
	}
	return err
}

func exported(t *testing.T, s *store.Store, uuid string) []byte {
	t.Helper()
	var b bytes.Buffer
	_, _, err := Export(t.Context(), s, uuid, export.JSONLines, &b)
	testkit.Must(t, err)
	return b.Bytes()
}

// empty makes another database without transfers.
func empty(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), testkit.SQLite(t), store.Options{})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, s)
	_, err = s.Migrate(t.Context())
	testkit.Must(t, err)
	return s
}

// collect gathers what an import says.
func collect(all *[]Imported) func(Imported) { return func(i Imported) { *all = append(*all, i) } }

func wantNone(t *testing.T, when string, s *store.Store, uuid string) {
	t.Helper()
	if _, err := s.Transfer(t.Context(), uuid); !errors.Is(err, tasks.ErrTransferNotFound) {
		t.Errorf("%s: the transfer is seen: %v", when, err)
	}
}

// body is an export without its first and last lines, which have the moment.
func body(lines []byte) string {
	all := strings.Split(strings.TrimSpace(string(lines)), "\n")
	return strings.Join(all[1:len(all)-1], "\n")
}

// cutOff is a reader that cancels a context after so many bytes of its second pass.
type cutOff struct {
	*bytes.Reader
	cancel func()
	after  int
	passes int
}

func (c *cutOff) Seek(offset int64, whence int) (int64, error) {
	c.passes++
	return c.Reader.Seek(offset, whence)
}

func (c *cutOff) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p[:min(len(p), 1000)])
	if c.passes == 1 {
		if c.after -= n; c.after <= 0 {
			c.cancel()
		}
	}
	return n, err
}

// An import is canceled at many places, and repeated until it is complete: it is then the same as
// its export, and nobody has seen a part of it.
func TestImportThatIsCutOff(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		e, lines := completed(t, url, manyFiles)
		into := empty(t)
		for part := range 6 {
			ctx, cancel := context.WithCancel(t.Context())
			err := Import(ctx, into, &cutOff{Reader: bytes.NewReader(lines), cancel: cancel, after: part * len(lines) / 6}, func(Imported) {
				t.Error("an import that was cut off reports a transfer")
			})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Errorf("part %d: %v", part, err)
			}
			wantNone(t, fmt.Sprintf("part %d", part), into, e.Transfer.UUID)
		}
		for _, there := range []bool{false, true} {
			var done []Imported
			testkit.Must(t, Import(t.Context(), into, bytes.NewReader(lines), collect(&done)))
			if want := []Imported{{e.Transfer.UUID, manyFiles, manyFiles, there}}; !slices.Equal(done, want) {
				t.Errorf("imported %+v, want %+v", done, want)
			}
			if body(exported(t, into, e.Transfer.UUID)) != body(lines) {
				t.Error("what was imported is not what was exported")
			}
		}
	})
}

// Lines that are broken are named, up to a number, and nothing is imported.
func TestImportOfBrokenLines(t *testing.T) {
	t.Parallel()
	e, lines := completed(t, testkit.SQLite(t), 100)
	into := empty(t)
	all := strings.Split(string(lines), "\n")
	for i := range 2*mostBroken + 1 {
		all[i+20] = all[i+20][:len(all[i+20])/2]
	}
	err := Import(t.Context(), into, strings.NewReader(strings.Join(all, "\n")), func(Imported) { t.Error("imported") })
	broken, ok := errors.AsType[*BrokenLinesError](err)
	if !ok || len(broken.Lines) != mostBroken || broken.More == 0 || broken.Lines[0].Line != 21 {
		t.Fatalf("%v", err)
	}
	if text := err.Error(); !strings.Contains(text, "line 21: ") || !strings.HasSuffix(text, "more lines\nnothing was imported") {
		t.Error(text)
	}
	wantNone(t, "broken", into, e.Transfer.UUID)

	whole := strings.SplitAfter(string(lines), "\n")
	for name, content := range map[string]string{
		"without its end":        strings.Join(whole[:len(whole)-2], ""),
		"without a file":         strings.Join(slices.Delete(slices.Clone(whole), 5, 6), ""),
		"with a line twice":      strings.Join(slices.Insert(slices.Clone(whole), 5, whole[5]), ""),
		"with another result":    strings.Replace(string(lines), `"output":"50"`, `"output":"51"`, 1),
		"without its transfer":   strings.Join(whole[1:], ""),
		"of nothing but a NUL":   "\x00",
		"with binary at the end": string(lines) + "\xff\xfe\n",
	} {
		if err := Import(t.Context(), into, strings.NewReader(content), func(Imported) {}); err == nil {
			t.Errorf("%s: it is imported", name)
		}
		wantNone(t, name, into, e.Transfer.UUID)
	}
	testkit.Must(t, Import(t.Context(), into, bytes.NewReader(lines), func(Imported) {})) // nothing of it stands in the way
}

// A transfer that the database has with other content stays as it is.
func TestImportOfAnotherContent(t *testing.T) {
	t.Parallel()
	url := testkit.SQLite(t)
	e, lines := completed(t, url, 10)
	_, err := e.DB().ExecContext(t.Context(), "UPDATE results SET output = 'x' WHERE file_no = 7")
	testkit.Must(t, err)
	changed := exported(t, e.Store, e.Transfer.UUID)
	if err := Import(t.Context(), e.Store, bytes.NewReader(lines), func(Imported) { t.Error("imported") }); !errors.Is(err, ErrImportDiffers) {
		t.Errorf("other results of that transfer are there, and the error is %v", err)
	}
	if body(exported(t, e.Store, e.Transfer.UUID)) != body(changed) {
		t.Error("the transfer has changed")
	}
}

// The database does not answer, and has lost rows.
func TestExchangeWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	e, lines := completed(t, testkit.SQLite(t), 10)
	_, err := e.DB().ExecContext(t.Context(), "DELETE FROM files WHERE no = 3")
	testkit.Must(t, err)
	_, _, err = Export(t.Context(), e.Store, e.Transfer.UUID, export.JSONLines, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "9 of 10 files") {
		t.Errorf("rows are missing: %v", err)
	}
	if _, _, err = Export(t.Context(), e.Store, "none", export.JSONLines, io.Discard); !errors.Is(err, tasks.ErrTransferNotFound) {
		t.Errorf("an export of no transfer: %v, want %v", err, tasks.ErrTransferNotFound)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err = Export(ctx, e.Store, e.Transfer.UUID, export.JSONLines, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	closed, err := store.Open(t.Context(), testkit.SQLite(t), store.Options{})
	testkit.Must(t, err)
	testkit.Must(t, closed.Close())
	if err := Import(t.Context(), closed, bytes.NewReader(lines), func(Imported) { t.Error("imported") }); err == nil {
		t.Error("a closed database takes an import")
	}
}

func writeJournal(t *testing.T, dir, name string, content ...[]byte) string {
	t.Helper()
	path := filepath.Join(dir, journal.Prefix+name)
	testkit.Must(t, os.WriteFile(path, slices.Concat(content...), 0o600))
	return path
}

func compressed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	testkit.Must(t, errors.Join(err, w.Close()))
	return out.Bytes()
}

// Of a transfer that files have several times, the one that ended last counts, wherever it is; a
// file that is cut off in its last transfer is reported, and the transfers before it count.
func TestImportJournal(t *testing.T) {
	t.Parallel()
	e, old := completed(t, testkit.SQLite(t), 10)
	_, err := e.DB().ExecContext(t.Context(), "UPDATE results SET output = 'newer' WHERE file_no = 7")
	testkit.Must(t, err)
	_, err = e.DB().ExecContext(t.Context(), "UPDATE transfers SET ended_at = '2099-01-02 03:04:05.000000+00:00'")
	testkit.Must(t, err)
	newer := exported(t, e.Store, e.Transfer.UUID)
	f, other := completed(t, testkit.SQLite(t), 20)
	half := func(b []byte) []byte { return b[:len(b)/2] }

	dir := filepath.Join(t.TempDir(), "of [one]?")
	testkit.Must(t, os.Mkdir(dir, 0o700))
	for name, content := range map[string][][]byte{
		"1": {newer}, "2": {old, half(other)}, "3": {other, compressed(t, nil)[:0]}, "4": {half(newer)},
	} {
		writeJournal(t, dir, name, content...)
	}
	writeJournal(t, dir, "5.gz", compressed(t, slices.Concat(other, old)))
	zipped := compressed(t, slices.Concat(other, old))
	writeJournal(t, dir, "6.gz", zipped[:len(zipped)-20])

	for _, order := range [][]string{{dir}, {dir, dir}} {
		into := empty(t)
		var done []Imported
		var cut []string
		testkit.Must(t, ImportJournal(t.Context(), into, order, JournalImport{
			Done: collect(&done), CutOff: func(c CutOff) {
				cut = append(cut, fmt.Sprint(filepath.Base(c.File)[len(journal.Prefix):], " ", c.After))
			},
		}))
		slices.SortFunc(done, func(a, b Imported) int { return int(a.Files - b.Files) })
		if want := []Imported{{e.Transfer.UUID, 10, 10, false}, {f.Transfer.UUID, 20, 20, false}}; !slices.Equal(done, want) {
			t.Errorf("imported %+v", done)
		}
		if len(cut) < 2 || cut[0] != "2 1" || cut[1] != "4 0" {
			t.Errorf("cut off: %q", cut)
		}
		if got := string(exported(t, into, e.Transfer.UUID)); !strings.Contains(got, `"newer"`) {
			t.Error("an earlier end of the transfer was imported")
		}
	}
}

// What is no journal is an error, and so is a file that is broken anywhere but at its end.
func TestImportOfABadJournal(t *testing.T) {
	t.Parallel()
	e, lines := completed(t, testkit.SQLite(t), 10)
	f, other := completed(t, testkit.SQLite(t), 10)
	into := empty(t)
	broken := bytes.Replace(lines, []byte(`"output":"5"`), []byte(`"output":5,,`), 1)
	bad := t.TempDir()
	writeJournal(t, bad, "1", other)
	writeJournal(t, bad, "2", broken, other)
	err := ImportJournal(t.Context(), into, []string{bad}, JournalImport{Done: func(Imported) { t.Error("imported") }})
	if _, ok := errors.AsType[*BrokenLinesError](err); !ok || !strings.Contains(err.Error(), journal.Prefix+"2") {
		t.Errorf("the second file is broken, and the error is %v", err)
	}
	writeJournal(t, bad, "2", broken) // what is broken in the last transfer alone does not keep back the others
	cut := 0
	testkit.Must(t, ImportJournal(t.Context(), into, []string{bad}, JournalImport{
		Done: func(i Imported) {
			if i.Transfer != f.Transfer.UUID {
				t.Errorf("imported %+v", i)
			}
		},
		CutOff: func(CutOff) { cut++ },
	}))
	if cut != 1 {
		t.Errorf("%d files are reported", cut)
	}
	wantNone(t, "broken", into, e.Transfer.UUID)
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if err := ImportJournal(t.Context(), into, []string{path}, JournalImport{}); err == nil {
			t.Errorf("%s is taken for a journal", path)
		}
	}

	// One that differs does not keep back the others.
	dir := t.TempDir()
	path := writeJournal(t, dir, "1", lines, other)
	_, err = e.DB().ExecContext(t.Context(), "UPDATE results SET output = 'x'")
	testkit.Must(t, err)
	var done []Imported
	err = ImportJournal(t.Context(), e.Store, []string{path}, JournalImport{Done: collect(&done)})
	if !errors.Is(err, ErrImportDiffers) || len(done) != 1 || done[0].Transfer != f.Transfer.UUID {
		t.Errorf("%v, imported %+v", err, done)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ImportJournal(ctx, into, []string{path}, JournalImport{}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	for path, want := range map[string]bool{dir: true, path: true, filepath.Join(dir, "x.jsonl"): false} {
		if IsJournal(path) != want {
			t.Errorf("IsJournal of %s is %v", path, !want)
		}
	}
}
