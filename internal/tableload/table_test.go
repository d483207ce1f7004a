package tableload

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/db"
)

func TestTableThatDoesNotSuit(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		if err := b.db.Exec("CREATE TABLE strict (number INT NOT NULL, word VARCHAR(5) NOT NULL DEFAULT 'none', other INT)").Error; err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			table        string
			columns, key []string
			on           OnDuplicate
			want         string
		}{
			"no table":      {"none", []string{"a"}, nil, DuplicateError, `no such table: "none" in `},
			"Baler's own":   {"Results", []string{"a"}, nil, DuplicateError, "is a table of Baler"},
			"no column":     {"strict", []string{"number", "nope"}, nil, DuplicateError, `no column "nope"`},
			"twice":         {"strict", []string{"number", "NUMBER"}, nil, DuplicateError, "named twice"},
			"not filled":    {"strict", []string{"word"}, nil, DuplicateError, `column "number" of strict is NOT NULL`},
			"no key":        {"strict", []string{"number"}, nil, DuplicateIgnore, "name the columns of a key"},
			"no such key":   {"strict", []string{"number"}, []string{"number"}, DuplicateIgnore, "no primary or unique key of exactly number"},
			"key elsewhere": {"strict", []string{"number"}, []string{"word"}, DuplicateIgnore, `nothing is mapped to "word"`},
			"blanks":        {" strict", []string{"number"}, nil, DuplicateError, "is not a name"},
		} {
			_, err := b.Table(t.Context(), tt.table, tt.columns, tt.key, tt.on)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrTable) && !errors.Is(err, ErrNoTable) {
				t.Errorf("%s: %v", name, err)
			}
		}
		table, err := b.Table(t.Context(), "strict", []string{"number", "word"}, nil, DuplicateError)
		if err != nil {
			t.Fatal(err)
		}
		sec := &Section{Rows: table.NewRows()}
		sec.Rows.AddNumber([]byte("1"), false)
		sec.Rows.SetDefault(&table.Columns()[1])
		sec.Rows.EndRow(1, nil)
		if _, err := table.Load(t.Context(), sec); err != nil || b.count(t, "strict", "word = 'none'") != 1 {
			t.Errorf("no default: %v", err)
		}
	})
}

// A table without transactions cannot promise anything.
func TestTableWithoutTransactions(t *testing.T) {
	b := newEnv(t, db.MySQL)
	for _, engine := range []string{"MyISAM", "MEMORY"} {
		if err := b.db.Exec("CREATE TABLE " + engine + "_things (n INT) ENGINE=" + engine).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := b.Table(t.Context(), engine+"_things", []string{"n"}, nil, DuplicateError); !errors.Is(err, ErrTable) || !strings.Contains(err.Error(), engine) {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// Names are names, whatever they hold.
func TestTableOfOddNames(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const odd = "se`l \"x\"; -- 'é'"
		if err := b.CreateTable(t.Context(), odd, []Column{{Name: "number", Kind: ColumnInt}, {Name: "word", Kind: ColumnText}, {Name: odd, Kind: ColumnJSON}},
			[]string{"number", "word"}); err != nil {
			t.Fatal(err)
		}
		for i, on := range []OnDuplicate{DuplicateIgnore, DuplicateUpdate} {
			table, err := b.Table(t.Context(), odd, []string{"number", "word", odd}, []string{"word", "number"}, on)
			if err != nil {
				t.Fatal(err)
			}
			sec := &Section{File: int64(i), Rows: table.NewRows()}
			sec.Rows.AddNumber([]byte("1"), false)
			sec.Rows.AddText([]byte("a"))
			sec.Rows.AddText([]byte("{}"))
			sec.Rows.EndRow(1, nil)
			if counts, err := table.Load(t.Context(), sec); err != nil || counts.Loaded+counts.Duplicates != 1 {
				t.Errorf("%s: %+v, %v", on, counts, err)
			}
		}
	})
}

// A new table reads back as the kinds that it was made of.
func TestKindsReadBack(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		var columns []Column
		for _, k := range ColumnTypes() {
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
			if want == ColumnDecimal && b.dialect() == db.SQLite {
				want = ColumnText // which keeps every digit
			}
			if c.Kind != want || c.Required != (c.Name == "text") {
				t.Errorf("%s reads back as %+v", columns[i].Kind, c)
			}
		}
	})
}

// The text of times is what both databases compare and sort.
func TestRowsWriteTimesInUTC(t *testing.T) {
	r := &RowBuffer{}
	r.AddTime(time.Date(2024, 5, 6, 1, 2, 3, 4000, time.FixedZone("", 7200)))
	if got := string(r.text); got != "('2024-05-05 23:02:03.000004'" {
		t.Error(got)
	}
}

func TestOwnTables(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		query := "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
		if b.db.Name() == string(db.SQLite) {
			query = "SELECT name FROM sqlite_master WHERE type = 'table'"
		}
		var tables []string
		if err := b.db.Raw(query).Scan(&tables).Error; err != nil || len(tables) < 10 {
			t.Fatal(tables, err)
		}
		for _, table := range tables {
			if err := CheckTableName(table); err == nil && !strings.HasPrefix(table, "sqlite_") {
				t.Errorf("rows can be loaded into %s", table)
			}
		}
	})
}

// A table that cannot be made leaves nothing behind, and the reason is a sentence.
func TestTableThatCannotBeMade(t *testing.T) {
	columns := func(kind ColumnType, names ...string) (columns []Column) {
		for _, name := range names {
			columns = append(columns, Column{Name: name, Kind: kind})
		}
		return columns
	}
	each(t, func(t *testing.T, b *env) {
		many := make([]string, 1200)
		for i := range many {
			many[i] = fmt.Sprintf("c%d", i)
		}
		for name, tt := range map[string]struct {
			table   string
			columns []Column
			key     []string
			want    string
			mysql   bool // there alone
		}{
			"letter case":   {"t", columns(ColumnInt, "a", "b", "A"), nil, `the columns "a" and "A" differ in letter case at most`, false},
			"accented case": {"t", columns(ColumnInt, "é", "É"), nil, `the columns "é" and "É" differ in letter case at most`, false},
			"blanks":        {"t", columns(ColumnInt, "x "), nil, `"x " is not a name: it begins or ends with white space`, false},
			"empty":         {"t", columns(ColumnInt, ""), nil, `"" is not a name: it is empty`, false},
			"SQLite's own":  {"sqlite_t", columns(ColumnInt, "a"), nil, "is reserved by SQLite", false},
			"many columns":  {"t", columns(ColumnInt, many...), nil, "more columns than the database allows", true},
			"wide columns":  {"t", columns(ColumnDecimal, many[:900]...), nil, "larger than the database allows", true},
			"wide key":      {"t", columns(ColumnText, many[:5]...), many[:5], "the key is longer than the database allows", true},
			"emoji":         {"t", columns(ColumnInt, "a😀"), nil, `"a😀" has the character '😀', which MySQL and MariaDB allow in values but not in names; give the column another name`, true},
			"emoji table":   {"😀", columns(ColumnInt, "a"), nil, `choose another name`, true},
			"JSON in key":   {"t", columns(ColumnJSON, "a"), []string{"a"}, "a column of the key holds JSON", true},
		} {
			if tt.mysql && b.dialect() == db.SQLite {
				continue
			}
			err := b.CreateTable(t.Context(), tt.table, tt.columns, tt.key)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, ErrTable) || strings.Contains(err.Error(), "Error 1") {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := b.Columns(t.Context(), "t"); !errors.Is(err, ErrNoTable) {
				t.Errorf("%s left a table: %v", name, err)
			}
		}
	})
}

func TestViewsTakeNoRows(t *testing.T) {
	b := newEnv(t, db.SQLite)
	for _, statement := range []string{"CREATE TABLE t (n INTEGER)", "CREATE VIEW v AS SELECT n + 1 AS n FROM t"} {
		if err := b.db.Exec(statement).Error; err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Table(t.Context(), "V", []string{"n"}, nil, DuplicateError); !errors.Is(err, ErrTable) || !strings.Contains(err.Error(), "is a view") {
		t.Error(err)
	}
}

// When a load becomes impossible while it runs, the error says so in plain words, too.
func TestLoadErrorsAreInWords(t *testing.T) {
	b := newEnv(t, db.MySQL)
	b.wordTable(t, "words")
	table := b.table(t, "words", DuplicateError)
	for _, tt := range []struct{ statement, want string }{
		{"ALTER TABLE words DROP COLUMN word", "a column of the table was dropped during the load: word"},
		{"DROP TABLE words", "the table no longer exists"},
	} {
		if err := b.db.Exec(tt.statement).Error; err != nil {
			t.Fatal(err)
		}
		if _, err := table.Load(t.Context(), words(table, 0, "1 a")); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v", tt.statement, err)
		}
	}
}
