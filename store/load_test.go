package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// number and word are the columns of most tables here.
func (b *bench) wordTable(t *testing.T, name string, key ...string) {
	t.Helper()
	columns := []Column{{Name: "number", Kind: Int}, {Name: "word", Kind: Text}}
	if err := b.CreateTable(t.Context(), name, columns, key); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) table(t *testing.T, name string, on OnDuplicate, key ...string) *Table {
	t.Helper()
	table, err := b.Table(t.Context(), name, []string{"number", "word"}, key, on)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// words is a section of rows "number word", one a line from the first on.
func words(table *Table, at int64, lines ...string) *Section {
	sec := &Section{Transfer: 1, Step: 1, File: 1, At: at, Bytes: int64(len(lines)), Lines: int64(len(lines)), Rows: table.Rows()}
	for i, line := range lines {
		number, word, _ := strings.Cut(line, " ")
		sec.Rows.Number([]byte(number), false)
		sec.Rows.Text([]byte(word))
		sec.Rows.End(at+int64(i)+1, []byte(line))
	}
	return sec
}

// held lists a table's rows as "number word", sorted.
func (b *bench) held(t *testing.T, name string) []string {
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
		counts LoadCounts
		held   string
		bad    []int64
	}{
		"refused": {Refuse, nil, LoadCounts{Loaded: 3, Bad: 4}, "1 old|2 two|3 three|4 four", []int64{101, 104, 105, 107}},
		"ignored": {Ignore, []string{"number"}, LoadCounts{Loaded: 3, Duplicates: 3, Bad: 1}, "1 old|2 two|3 three|4 four", []int64{105}},
		"updated": {Update, []string{"NUMBER"}, LoadCounts{Loaded: 3, Duplicates: 3, Bad: 1}, "1 newest|2 two|3 again|4 four", []int64{105}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *bench) {
				if b.Dialect() == SQLite { // which takes every number
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
				loaded, err := b.Loaded(t.Context(), 1, 1, 1)
				first := Loaded{0, LoadCounts{Bytes: 1, Lines: 1, Loaded: 1}}
				if err != nil || len(loaded) != 2 || loaded[0] != first || loaded[1] != (Loaded{100, counts}) {
					t.Errorf("marked: %+v, %v", loaded, err)
				}
				total, err := b.LoadTotals(t.Context(), 1)
				if want := counts.Loaded + 1; err != nil || total.Loaded != want || total.Lines != 8 {
					t.Errorf("in total %+v, %v", total, err)
				}
				var bad []int64
				insertFile(t, b)
				rejects, err := b.Rejects(t.Context(), 1, RejectKey{}, 100)
				for _, r := range rejects {
					bad = append(bad, r.Line)
					if !strings.Contains(r.Reason, "the database refuses the row: ") || r.Path != "/lines" ||
						string(r.Content) != strings.Split(lines, "|")[r.Line-101] {
						t.Errorf("set aside: %+v", r)
					}
				}
				if err != nil || !slices.Equal(bad, tt.bad) {
					t.Errorf("lines %v were set aside, want %v: %v", bad, tt.bad, err)
				}
				if more, err := b.Rejects(t.Context(), 1, rejects[0].Key, 100); err != nil || len(more) != len(rejects)-1 {
					t.Errorf("%d behind the first, %v", len(more), err)
				}
			})
		})
	}
}

func insertFile(t *testing.T, b *bench) {
	t.Helper()
	if err := b.db.Create(&fileRow{TransferID: 1, No: 1, Path: []byte("/lines")}).Error; err != nil {
		t.Fatal(err)
	}
}

// However many workers come with one section, its rows go in once, with no key
// to help.
func TestLoadAtOnceLoadsOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.wordTable(t, "words")
		table := b.table(t, "words", Refuse)
		var mu sync.Mutex
		loaded := 0
		atOnce(t, 8, func(int) error {
			_, err := table.Load(t.Context(), words(table, 0, "1 a", "2 b"))
			if errors.Is(err, ErrLoaded) {
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
	each(t, func(t *testing.T, b *bench) {
		b.wordTable(t, "words")
		table := b.table(t, "words", Refuse)
		if err := b.db.Exec("DROP TABLE load_rejects").Error; err != nil { // the last thing that is written
			t.Fatal(err)
		}
		sec := words(table, 0, "1 a")
		sec.Rejects = []Reject{NewReject(2, "bad", nil)}
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
	each(t, func(t *testing.T, b *bench) {
		b.wordTable(t, "words")
		table := b.table(t, "words", Refuse)
		texts := []string{"", "'", "''", `\`, `\'`, `"`, "`", "a\x00b", "\x00", "\r\n\t\x1a\x08", "?", ":x @y", "%", "Ünïcödé 😀", "x'); DROP TABLE words; --"}
		sec := &Section{Transfer: 1, Step: 1, File: 1, Rows: table.Rows()}
		for i, s := range texts {
			sec.Rows.Text([]byte("given up"))
			sec.Rows.Drop()
			sec.Rows.Number(fmt.Append(nil, i), false)
			sec.Rows.Text([]byte(s))
			sec.Rows.End(int64(i), nil)
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
	each(t, func(t *testing.T, b *bench) {
		b.wordTable(t, "words")
		table := b.table(t, "words", Refuse)
		large := strings.Repeat("x", rowBytes)
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

func TestTableThatDoesNotSuit(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		if err := b.db.Exec("CREATE TABLE strict (number INT NOT NULL, word VARCHAR(5) NOT NULL DEFAULT 'none', other INT)").Error; err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			table        string
			columns, key []string
			on           OnDuplicate
			want         string
		}{
			"no table":      {"none", []string{"a"}, nil, Refuse, `none called "none"`},
			"Baler's own":   {"Results", []string{"a"}, nil, Refuse, "a table of Baler's own"},
			"no column":     {"strict", []string{"number", "nope"}, nil, Refuse, `no column "nope"`},
			"twice":         {"strict", []string{"number", "NUMBER"}, nil, Refuse, "named twice"},
			"not filled":    {"strict", []string{"word"}, nil, Refuse, `column "number" of strict takes no NULL`},
			"no key":        {"strict", []string{"number"}, nil, Ignore, "by a key only"},
			"no such key":   {"strict", []string{"number"}, []string{"number"}, Ignore, "no primary or unique key of just number"},
			"key elsewhere": {"strict", []string{"number"}, []string{"word"}, Ignore, `nothing is mapped to "word"`},
			"blanks":        {" strict", []string{"number"}, nil, Refuse, "is no name"},
		} {
			_, err := b.Table(t.Context(), tt.table, tt.columns, tt.key, tt.on)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrTable) && !errors.Is(err, ErrNoTable) {
				t.Errorf("%s: %v", name, err)
			}
		}
		table, err := b.Table(t.Context(), "strict", []string{"number", "word"}, nil, Refuse)
		if err != nil {
			t.Fatal(err)
		}
		sec := &Section{Rows: table.Rows()}
		sec.Rows.Number([]byte("1"), false)
		sec.Rows.Missing(&table.Columns()[1])
		sec.Rows.End(1, nil)
		if _, err := table.Load(t.Context(), sec); err != nil || b.count(t, "strict", "word = 'none'") != 1 {
			t.Errorf("no default: %v", err)
		}
	})
}

// A table without transactions cannot promise anything.
func TestTableWithoutTransactions(t *testing.T) {
	b := emptyBench(t, MySQL)
	for _, engine := range []string{"MyISAM", "MEMORY"} {
		if err := b.db.Exec("CREATE TABLE " + engine + "_things (n INT) ENGINE=" + engine).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := b.Table(t.Context(), engine+"_things", []string{"n"}, nil, Refuse); !errors.Is(err, ErrTable) || !strings.Contains(err.Error(), engine) {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// Names are names, whatever they hold.
func TestTableOfOddNames(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const odd = "se`l \"x\"; -- 'é'"
		if err := b.CreateTable(t.Context(), odd, []Column{{Name: "number", Kind: Int}, {Name: "word", Kind: Text}, {Name: odd, Kind: JSON}},
			[]string{"number", "word"}); err != nil {
			t.Fatal(err)
		}
		for i, on := range []OnDuplicate{Ignore, Update} {
			table, err := b.Table(t.Context(), odd, []string{"number", "word", odd}, []string{"word", "number"}, on)
			if err != nil {
				t.Fatal(err)
			}
			sec := &Section{File: int64(i), Rows: table.Rows()}
			sec.Rows.Number([]byte("1"), false)
			sec.Rows.Text([]byte("a"))
			sec.Rows.Text([]byte("{}"))
			sec.Rows.End(1, nil)
			if counts, err := table.Load(t.Context(), sec); err != nil || counts.Loaded+counts.Duplicates != 1 {
				t.Errorf("%s: %+v, %v", on, counts, err)
			}
		}
	})
}

// A new table reads back as the kinds that it was made of.
func TestKindsReadBack(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		var columns []Column
		for _, k := range Kinds() {
			columns = append(columns, Column{Name: string(k), Kind: k})
		}
		if err := b.CreateTable(t.Context(), "kinds", columns, []string{"text"}); err != nil {
			t.Fatal(err)
		}
		got, err := b.Columns(t.Context(), "kinds")
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range got {
			want := columns[i].Kind
			if want == Decimal && b.Dialect() == SQLite {
				want = Text // which keeps every digit
			}
			if c.Kind != want || c.Required != (c.Name == "text") {
				t.Errorf("%s reads back as %+v", columns[i].Kind, c)
			}
		}
	})
}

// The text of times is what both databases compare and sort.
func TestRowsWriteTimesInUTC(t *testing.T) {
	r := &Rows{}
	r.Time(time.Date(2024, 5, 6, 1, 2, 3, 4000, time.FixedZone("", 7200)))
	if got := string(r.text); got != "('2024-05-05 23:02:03.000004'" {
		t.Error(got)
	}
}

func TestOwnTables(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tables, err := b.db.Migrator().GetTables()
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			if err := CheckTableName(table); err == nil && !strings.HasPrefix(table, "sqlite_") {
				t.Errorf("rows can be loaded into %s", table)
			}
		}
	})
}
