package tableload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/balerhq/baler/tasks"

	"github.com/balerhq/baler/internal/testkit"

	"github.com/balerhq/baler/internal/db"
)

// number and word are the columns of most tables here.
func (b *env) wordTable(t *testing.T, name string, key ...string) {
	t.Helper()
	columns := []Column{{Name: "number", Kind: ColumnInt}, {Name: "word", Kind: ColumnText}}
	if err := b.CreateTable(t.Context(), name, columns, key); err != nil {
		t.Fatal(err)
	}
}

func (b *env) table(t *testing.T, name string, on OnDuplicate, key ...string) *Table {
	t.Helper()
	table, err := b.Table(t.Context(), name, []string{"number", "word"}, key, on)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// words is a section of rows "number word", one a line from the first on.
func words(table *Table, at int64, lines ...string) *Section {
	sec := &Section{Transfer: 1, Step: 1, File: 1, Offset: at, Bytes: int64(len(lines)), Lines: int64(len(lines)), Rows: table.NewRows()}
	for i, line := range lines {
		number, word, _ := strings.Cut(line, " ")
		sec.Rows.AddNumber([]byte(number), false)
		sec.Rows.AddText([]byte(word))
		sec.Rows.EndRow(at+int64(i)+1, []byte(line))
	}
	return sec
}

// held lists a table's rows as "number word", sorted.
func (b *env) held(t *testing.T, name string) []string {
	t.Helper()
	var rows []struct {
		Number int64
		Word   string
	}
	if err := b.db.Table(name).Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		all = append(all, fmt.Sprintf("%d %s", r.Number, r.Word))
	}
	slices.Sort(all)
	return all
}

func TestLoadTellsWhatBecameOfRows(t *testing.T) {
	const before, lines = "1 old", "1 new|2 two|3 three|3 again|9999999999999999999 refused|4 four|1 newest"
	for name, tt := range map[string]struct {
		on     OnDuplicate
		key    []string
		counts tasks.LoadCounts
		held   string
		bad    []int64
	}{
		"refused": {DuplicateError, nil, tasks.LoadCounts{Loaded: 3, Bad: 4}, "1 old|2 two|3 three|4 four", []int64{101, 104, 105, 107}},
		"ignored": {DuplicateIgnore, []string{"number"}, tasks.LoadCounts{Loaded: 3, Duplicates: 3, Bad: 1}, "1 old|2 two|3 three|4 four", []int64{105}},
		"updated": {DuplicateUpdate, []string{"NUMBER"}, tasks.LoadCounts{Loaded: 3, Duplicates: 3, Bad: 1}, "1 newest|2 two|3 again|4 four", []int64{105}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *env) {
				if b.dialect() == db.SQLite { // which takes every number
					if err := b.db.Exec("CREATE TABLE words (number INTEGER PRIMARY KEY CHECK (number < 1000000), word TEXT)").Error; err != nil {
						t.Fatal(err)
					}
				} else {
					b.wordTable(t, "words", "number")
				}
				table := b.table(t, "words", tt.on, tt.key...)
				if _, err := table.Load(t.Context(), words(table, 0, before)); err != nil {
					t.Fatal(err)
				}
				sec := words(table, 100, strings.Split(lines, "|")...)
				counts, err := table.Load(t.Context(), sec)
				if err != nil {
					t.Fatal(err)
				}
				tt.counts.Lines, tt.counts.Bytes = 7, 7
				if counts != tt.counts {
					t.Errorf("counted %+v, want %+v", counts, tt.counts)
				}
				if held := strings.Join(b.held(t, "words"), "|"); held != tt.held {
					t.Errorf("the table holds %s, want %s", held, tt.held)
				}
				loaded, err := b.LoadedSections(t.Context(), 1, 1, 1)
				first := LoadedSection{0, tasks.LoadCounts{Bytes: 1, Lines: 1, Loaded: 1}}
				if err != nil || len(loaded) != 2 || loaded[0] != first || loaded[1] != (LoadedSection{100, counts}) {
					t.Errorf("marked: %+v, %v", loaded, err)
				}
				total, err := b.LoadTotals(t.Context(), 1)
				if want := counts.Loaded + 1; err != nil || total.Loaded != want || total.Lines != 8 {
					t.Errorf("in total %+v, %v", total, err)
				}
				var bad []int64
				insertFile(t, b)
				rejects, err := b.RejectedLines(t.Context(), 1, tasks.RejectKey{}, 100)
				for _, r := range rejects {
					bad = append(bad, r.Line)
					if !strings.Contains(r.Reason, "the database refuses the row: ") || r.Path != "/lines" ||
						string(r.Content) != strings.Split(lines, "|")[r.Line-101] {
						t.Errorf("rejected: %+v", r)
					}
				}
				if err != nil || !slices.Equal(bad, tt.bad) {
					t.Errorf("lines %v were rejected, want %v: %v", bad, tt.bad, err)
				}
				if more, err := b.RejectedLines(t.Context(), 1, rejects[0].Key, 100); err != nil || len(more) != len(rejects)-1 {
					t.Errorf("%d behind the first, %v", len(more), err)
				}
			})
		})
	}
}

func insertFile(t *testing.T, b *env) {
	t.Helper()
	if err := b.db.Exec("INSERT INTO files (transfer_id, no, path, size) VALUES (1, 1, ?, 0)", []byte("/lines")).Error; err != nil {
		t.Fatal(err)
	}
}

// When several workers load the same chunk at once, its rows are inserted once, even in a
// table without a key.
func TestLoadAtOnceLoadsOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		b.wordTable(t, "words")
		table := b.table(t, "words", DuplicateError)
		var mu sync.Mutex
		loaded := 0
		testkit.AtOnce(t, 8, func(int) error {
			_, err := table.Load(t.Context(), words(table, 0, "1 a", "2 b"))
			if errors.Is(err, ErrSectionLoaded) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			loaded++
			return err
		})
		if held := b.held(t, "words"); loaded != 1 || len(held) != 2 {
			t.Errorf("loaded %d times: %v", loaded, held)
		}
	})
}

// A transaction that does not come to its end leaves nothing behind.
func TestLoadAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		b.wordTable(t, "words")
		table := b.table(t, "words", DuplicateError)
		if err := b.db.Exec("DROP TABLE rejected_lines").Error; err != nil { // the last thing that is written
			t.Fatal(err)
		}
		sec := words(table, 0, "1 a")
		sec.Rejects = []tasks.RejectedLine{NewRejectedLine(2, "bad", nil)}
		if _, err := table.Load(t.Context(), sec); err == nil {
			t.Error("loaded without its rejects")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		if _, err := table.Load(ctx, words(table, 1, "1 a")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("loaded after its time: %v", err)
		}
		if held := b.held(t, "words"); len(held) != 0 || b.count(t, "loads", "1 = 1") != 0 {
			t.Errorf("left behind: %v", held)
		}
	})
}

func TestLoadKeepsEveryCharacter(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		b.wordTable(t, "words")
		table := b.table(t, "words", DuplicateError)
		texts := []string{"", "'", "''", `\`, `\'`, `"`, "`", "a\x00b", "\x00", "\r\n\t\x1a\x08", "?", ":x @y", "%", "Ünïcödé 😀", "x'); DROP TABLE words; --"}
		sec := &Section{Transfer: 1, Step: 1, File: 1, Rows: table.NewRows()}
		for i, s := range texts {
			sec.Rows.AddText([]byte("given up"))
			sec.Rows.DiscardRow()
			sec.Rows.AddNumber(fmt.Append(nil, i), false)
			sec.Rows.AddText([]byte(s))
			sec.Rows.EndRow(int64(i), nil)
		}
		if counts, err := table.Load(t.Context(), sec); err != nil || counts.Loaded != int64(len(texts)) {
			t.Fatalf("%+v, %v", counts, err)
		}
		for i, want := range texts {
			var got string
			if err := b.db.Table("words").Where("number = ?", i).Select("word").Row().Scan(&got); err != nil || got != want {
				t.Errorf("%q came back as %q, %v", want, got, err)
			}
		}
	})
}

// Many rows of many sizes: statements are cut, and a row that is too large for
// any costs its neighbours nothing.
func TestLoadCutsStatements(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		b.wordTable(t, "words")
		table := b.table(t, "words", DuplicateError)
		large := strings.Repeat("x", db.MaxRowBytes)
		lines := []string{"1 " + large[:loadBytes], "2 " + large}
		for i := range 300 {
			lines = append(lines, fmt.Sprintf("%d %s", i+3, large[:9000]))
		}
		counts, err := table.Load(t.Context(), words(table, 0, lines...))
		if err != nil || counts.Loaded != 301 || counts.Bad != 1 {
			t.Errorf("%+v, %v", counts, err)
		}
	})
}

// A server that takes small statements rejects the rows that are larger, and takes
// the others.
func TestLoadOnServerThatTakesSmallStatements(t *testing.T) {
	t.Parallel()
	b := openEnv(t, testkit.NewMySQLServer(t, "--max-allowed-packet=64K").URL())
	b.wordTable(t, "words")
	table := b.table(t, "words", DuplicateError)
	section := words(table, 0, "1 "+strings.Repeat("x", 50_000), "2 "+strings.Repeat("é", 50_000), "3 "+strings.Repeat("x", 50_000), "4 d")
	counts, err := table.Load(t.Context(), section)
	if err != nil || counts.Loaded != 3 || counts.Bad != 1 {
		t.Errorf("counted %+v, %v", counts, err)
	}
	if n := b.count(t, "rejected_lines", "line = 2 AND reason LIKE '%raise the server''s max_allowed_packet%'"); n != 1 {
		t.Errorf("%d lines rejected with the reason", n)
	}
}
