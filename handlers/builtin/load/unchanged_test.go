package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// numbered is lines {"n":i} of 300 bytes from the first number to the last.
func numbered(from, to int) string {
	var b strings.Builder
	pad := strings.Repeat("x", 270)
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "{\"n\":%d,\"pad\":%q}\n", i, pad)
	}
	return b.String()
}

// A file that grew loads only its new lines, one that was touched none, with a key or
// without, and compressed or not.
func TestFileThatGrew(t *testing.T) {
	for name, tt := range map[string]struct {
		key  []string
		pack func(*testing.T, string) []byte
	}{
		"without a key": {nil, func(_ *testing.T, s string) []byte { return []byte(s) }},
		"with a key":    {[]string{"n"}, func(_ *testing.T, s string) []byte { return []byte(s) }},
		"compressed":    {nil, gzipped},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, e *env) {
				l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int"}, Key: tt.key})
				const large = 30_000 // lines, two sections
				transfer := int64(0)
				for i, step := range []struct {
					content                         string
					loaded, unchanged, bad, skipped int64
				}{
					{numbered(1, large), large, 0, 0, 0},
					{numbered(1, large), 0, large, 0, 0},                             // touched
					{numbered(1, large) + `{"n":-1}`, 1, large, 0, 0},                // the last line is open
					{numbered(1, large) + "{\"n\":-1}\n{\"n\":", 0, large + 1, 1, 0}, // cut in the middle of a line
					{numbered(1, large) + "{\"n\":-1}\n{\"n\":-2}\n", 1, large + 1, 0, 0},
					{numbered(1, large) + "{\"n\":-1}\n{\"n\":-2}\n\n", 0, large + 2, 0, 1},
				} {
					transfer++
					counts, err := File(t.Context(), l, Input{Transfer: transfer, Step: 1, File: 1, Path: "/f", Abreast: 2},
						bytes.NewReader(tt.pack(t, step.content)))
					want := tasks.LoadCounts{
						Bytes: int64(len(step.content)), Lines: step.loaded + step.unchanged + step.bad + step.skipped,
						Loaded: step.loaded, Unchanged: step.unchanged, Bad: step.bad, Skipped: step.skipped,
					}
					if err != nil || counts != want {
						t.Fatalf("load %d: %+v, %v; want %+v", i, counts, err, want)
					}
				}
				if got := e.rows(t, "SELECT COUNT(*), COUNT(DISTINCT n), MIN(n) FROM t"); got[0] != fmt.Sprintf("%d|%[1]d|-2", large+2) {
					t.Errorf("rows: %v", got)
				}
			})
		})
	}
}

// Chunks of a split file are known by where they are in the file.
func TestChunksOfAFileThatGrew(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int"}})
		load := func(transfer int64, part int, offset int, content string) tasks.LoadCounts {
			t.Helper()
			counts, err := l.Load(t.Context(), Input{
				Transfer: transfer, Step: 1, File: int64(part), Line: int64(part)*100 + 1, Path: "/f", Offset: int64(offset), Size: int64(len(content)),
			}, strings.NewReader(content))
			testkit.Must(t, err)
			return counts
		}
		first, second := numbered(1, 100), numbered(101, 150)
		load(1, 1, 0, first)
		load(1, 2, len(first), second)
		if c := load(2, 1, 0, first); c.Unchanged != 100 || c.Loaded != 0 {
			t.Errorf("the first chunk: %+v", c)
		}
		if c := load(2, 2, len(first), second+numbered(151, 160)); c.Unchanged != 50 || c.Loaded != 10 {
			t.Errorf("the chunk that grew: %+v", c)
		}
		if c := load(3, 2, 0, second); c.Unchanged != 0 || c.Loaded != 50 {
			t.Errorf("the same lines elsewhere in the file: %+v", c)
		}
	})
}

// Changed lines are loaded, and rejected lines are tried again.
func TestFileThatChanged(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		args := Args{Into: "t", Create: true, Map: []string{"n:int"}}
		l := e.loader(t, args)
		load := func(l *Loader, transfer int64, path, content string) tasks.LoadCounts {
			t.Helper()
			counts, err := l.Load(t.Context(), Input{Transfer: transfer, Step: 1, File: 1, Path: path}, strings.NewReader(content))
			testkit.Must(t, err)
			counts.Bytes = 0
			return counts
		}
		const content = "{\"n\":1}\n{\"n\":\"x\"}\n\n{\"n\":3}\n"
		for i, tt := range []struct {
			path, content string
			want          tasks.LoadCounts
		}{
			{"/f", content, tasks.LoadCounts{Lines: 4, Loaded: 2, Bad: 1, Skipped: 1}},
			{"/f", content, tasks.LoadCounts{Lines: 4, Unchanged: 3, Bad: 1}},
			{"/f", content, tasks.LoadCounts{Lines: 4, Unchanged: 3, Bad: 1}},
			{"/other", content, tasks.LoadCounts{Lines: 4, Loaded: 2, Bad: 1, Skipped: 1}},
			{"/f", numbered(1, 2), tasks.LoadCounts{Lines: 2, Loaded: 2}},
			{"/f", content, tasks.LoadCounts{Lines: 4, Loaded: 2, Bad: 1, Skipped: 1}}, // what it held last is something else
		} {
			if got := load(l, int64(i+1), tt.path, tt.content); got != tt.want {
				t.Errorf("load %d: %+v, want %+v", i, got, tt.want)
			}
		}
		for transfer := 1; transfer <= 3; transfer++ {
			if got := e.rows(t, fmt.Sprintf("SELECT line FROM rejected_lines WHERE transfer_id = %d", transfer)); fmt.Sprint(got) != "[2]" {
				t.Errorf("transfer %d rejected %v", transfer, got)
			}
		}
		if _, err := e.db.ExecContext(t.Context(), "DELETE FROM t"); err != nil {
			t.Fatal(err)
		}
		if got := load(e.loader(t, args), 9, "/f", content); got.Loaded != 2 {
			t.Errorf("into the emptied table: %+v", got)
		}
		args.LineContains = "n" // other lines, perhaps
		if got := load(e.loader(t, args), 10, "/f", content); got.Loaded != 2 {
			t.Errorf("by other options: %+v", got)
		}
	})
}

// A line that was rejected is loaded once it fits, and its neighbours are not loaded again.
func TestRejectedLineThatFitsNow(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		_, err := e.db.ExecContext(t.Context(), "CREATE TABLE t (s VARCHAR(9) CHECK (LENGTH(s) < 3))")
		testkit.Must(t, err)
		lines := "{\"s\":\"a\"}\n{\"s\":\"long\"}\n{\"s\":\"b\"}\n"
		load := func(transfer, line int64) tasks.LoadCounts {
			t.Helper()
			l := e.loader(t, Args{Into: "t"})
			counts, err := l.Load(t.Context(), Input{Transfer: transfer, Step: 1, File: 1, Line: line, Path: "/f"}, strings.NewReader(lines))
			testkit.Must(t, err)
			return counts
		}
		if c := load(1, 1); c.Loaded != 2 || c.Bad != 1 {
			t.Fatalf("%+v", c)
		}
		for _, statement := range []string{"CREATE TABLE n (s VARCHAR(9))", "INSERT INTO n SELECT s FROM t", "DROP TABLE t", "ALTER TABLE n RENAME TO t"} {
			_, err := e.db.ExecContext(t.Context(), statement)
			testkit.Must(t, err)
		}
		if c := load(2, 5); c.Loaded != 1 || c.Unchanged != 2 { // numbered otherwise, as when lines in front have changed
			t.Errorf("%+v", c)
		}
		if c := load(3, 1); c.Loaded != 0 || c.Unchanged != 3 {
			t.Errorf("%+v", c)
		}
		if got := fmt.Sprint(e.rows(t, "SELECT s FROM t ORDER BY s")); got != "[a b long]" {
			t.Error(got)
		}
	})
}

func TestEarlierChunksAreTheNewest(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int"}})
		for transfer := range int64(3) {
			_, err := l.Load(t.Context(), Input{Transfer: transfer + 1, Step: 1, File: 1, Path: "/f"}, strings.NewReader(numbered(int(transfer), int(transfer)+1)))
			testkit.Must(t, err)
		}
		chunks, err := l.table.EarlierSections(t.Context(), l.sourceOf("/f"), 3, 0, 1)
		if err != nil || len(chunks) != 1 || !bytes.Equal(chunks[0].Digest, tableload.Digest([]byte(numbered(1, 2)))) {
			t.Errorf("%+v, %v", chunks, err)
		}
	})
}

// Several transfers that load one file at the same time load each line once, without a key.
func TestOneFileInSeveralTransfersAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		const lines, transfers = 30_000, 4 // two sections
		l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int"}})
		content := numbered(1, lines) + "{\"n\":\"bad\"}\n"
		var loaded, unchanged atomic.Int64
		testkit.AtOnce(t, transfers, func(i int) error {
			counts, err := File(t.Context(), l, Input{Transfer: int64(i + 1), Step: 1, File: 1, Path: "/f"}, strings.NewReader(content))
			loaded.Add(counts.Loaded)
			unchanged.Add(counts.Unchanged)
			if err == nil && (counts.Lines != lines+1 || counts.Bad != 1) {
				err = fmt.Errorf("transfer %d: %+v", i+1, counts)
			}
			return err
		})
		if got := e.rows(t, "SELECT COUNT(*), COUNT(DISTINCT n) FROM t"); got[0] != fmt.Sprintf("%d|%[1]d", lines) ||
			loaded.Load() != lines || unchanged.Load() != (transfers-1)*lines {
			t.Errorf("rows %v; %d loaded, %d unchanged", got, loaded.Load(), unchanged.Load())
		}
	})
}

// A file that changes between two reads is read again; its new lines are not loaded in
// addition to the old ones.
func TestFileThatChangedWhileAnotherLoadedIt(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int"}})
		src := Input{Transfer: 1, Step: 1, File: 1, Path: "/f"}
		other := src
		other.Transfer = 2
		slow := readerFunc(func(p []byte) (int, error) { // another load is done before this one has read anything
			_, err := File(t.Context(), l, other, strings.NewReader("{\"n\":1}\n{\"n\":2}\n"))
			return copy(p, "{\"n\":1}\n"), errors.Join(err, io.EOF)
		})
		_, err := l.Load(t.Context(), src, slow)
		if _, ok := errors.AsType[*tableload.MeanwhileError](err); !ok {
			t.Fatalf("%v", err)
		}
		counts, err := File(t.Context(), l, src, strings.NewReader("{\"n\":1}\n{\"n\":2}\n"))
		if err != nil || counts.Unchanged != 2 || fmt.Sprint(e.rows(t, "SELECT COUNT(*) FROM t")) != "[2]" {
			t.Errorf("%+v, %v", counts, err)
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
