package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/tasks"
)

// Every kind of value arrives as it was written, and what does not fit is
// rejected with its line and column.
func TestValuesArriveExactly(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		l := e.loader(t, Args{Into: "things", Create: true, LineColumn: "doc", Map: []string{
			"id=id:int", "name=user.name:text", "price:decimal", "f:float", "ok:bool", "at=when.0:time", "tags:json",
		}})
		lines := []string{
			1:  `{"id":9007199254740993,"user":{"name":"Zo\u00eb \"q\" \\ ' \u0000\ud83d\ude00"},"price":12345678901234567890.123456789,"f":0.1,"ok":true,"when":["2024-05-06T01:02:03.123456+02:00"],"tags":[1, {"a":"\u00e9"}]}`,
			2:  `{"id":-9223372036854775808,"user":{"name":5e1},"price":-0.10,"f":-1E-7,"ok":false,"when":[1715000000.5],"tags":"x"}`,
			3:  `{"id":null,"extra":{"user":1}}`,
			4:  `{"id":7.0,"user":{"name":false},"ok":1,"when":["2024-05-06 01:02:03"],"tags":null}`,
			5:  `{"id":"7"}`,
			6:  `{"id":7.5}`,
			7:  `{"id":9223372036854775808}`,
			8:  `{"user":{"name":{"first":"a"}}}`,
			9:  `{"user":{"name":"\ud83d"}}`,
			10: `{"price":"1"}`,
			11: `{"price":1e3}`,
			12: `{"f":1e999}`,
			13: `{"ok":"yes"}`,
			14: `{"when":["yesterday"]}`,
			15: `{"when":[99999999999999]}`,
			16: `[1]`,
			17: `{"id":1} {"id":2}`,
			18: "{\"user\":{\"name\":\"\xff\"}}",
			19: `{"when":[[1]]}`,
		}
		counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1}, strings.NewReader("\ufeff"+strings.Join(lines[1:], "\r\n")))
		if err != nil || counts.Loaded != 4 || counts.Bad != 15 || counts.Lines != 19 {
			t.Fatalf("%+v, %v", counts, err)
		}
		price := []string{"12345678901234567890.123456789", "-0.10", "NULL", "NULL"}
		if e.dialect == db.MySQL {
			price = []string{"12345678901234567890.12345678900000000000", "-0.10000000000000000000", "NULL", "NULL"}
		}
		want := []string{
			"9007199254740993|Zoë \"q\" \\ ' \x00😀|" + price[0] + "|0.1|1|" + "2024-05-05 23:02:03.123456" + `|[1, {"a":"\u00e9"}]|` + lines[1],
			"-9223372036854775808|5e1|" + price[1] + "|-0.0000001|0|" + "2024-05-06 12:53:20.500000" + `|"x"|` + lines[2],
			"NULL|NULL|NULL|NULL|NULL|NULL|NULL|" + lines[3],
			"7|false|NULL|NULL|1|" + "2024-05-06 01:02:03.000000" + "|NULL|" + lines[4],
		}
		got := e.rows(t, "SELECT id, name, price, f, ok, at, tags, doc FROM things ORDER BY LENGTH(doc) DESC")
		if e.ownJSON {
			withoutJSON(got)
			withoutJSON(want)
		}
		slices.Sort(got)
		slices.Sort(want)
		for i := range want {
			g := strings.Replace(strings.Replace(strings.Replace(got[i], "|-1e-07|", "|-0.0000001|", 1), "|true|", "|1|", 1), "|false|2", "|0|2", 1)
			if g != want[i] {
				t.Errorf("row %d is\n%q, want\n%q", i, g, want[i])
			}
		}
		for no, part := range map[int64]string{
			5: "column id: \"7\" is a string, not a whole number", 6: "7.5 is a number, not a whole number", 7: "out of the range of 64-bit integers",
			8: "column name: {\"first\":\"a\"} is an object, not text", 9: "half of a surrogate pair", 10: "column price: \"1\" is a string, not a number",
			11: "without an exponent", 12: "out of the range of 64-bit floating point", 13: "column ok: \"yes\" is a string, not true or false",
			14: "column at: \"yesterday\": not a time", 15: "not a number of seconds", 16: "not an object", 17: "follows the JSON value", 18: "not valid UTF-8",
			19: "is an array, not a time",
		} {
			if reason := e.rejects(t, 1)[no]; !strings.Contains(reason, part) {
				t.Errorf("line %d was rejected because %q, want %q", no, reason, part)
			}
		}
	})
}

// Without a mapping, columns take the members of their names.
func TestColumnsTakeMembersOfTheirNames(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		number := "INTEGER PRIMARY KEY AUTOINCREMENT"
		if e.dialect == db.MySQL {
			number = "BIGINT AUTO_INCREMENT PRIMARY KEY"
		}
		if _, err := e.db.Exec("CREATE TABLE things (no " + number + ", a VARCHAR(3), b INT NOT NULL DEFAULT 5, c INT NOT NULL, twice INT GENERATED ALWAYS AS (b * 2))"); err != nil {
			t.Fatal(err)
		}
		l := e.loader(t, Args{Into: "things", LineContains: "keep"})
		counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1}, strings.NewReader(
			"{\"a\":\"é\",\"c\":1,\"keep\":0}\n\n{bad\n{\"b\":6,\"c\":2,\"twice\":9,\"keep\":0}\n{\"a\":\"long\",\"c\":3,\"keep\":0}\n{\"a\":\"keep\"}\n{\"a\":\"kee\"}"))
		want := tasks.LoadCounts{Bytes: 117, Lines: 7, Loaded: 2, Skipped: 3, Bad: 2, Unmapped: 3}
		held := "[1|é|5|1|10 2|NULL|6|2|12]"
		if e.dialect == db.SQLite { // which holds texts of any length
			want.Loaded, want.Bad, want.Unmapped, held = 3, 1, 4, "[1|é|5|1|10 2|NULL|6|2|12 3|long|5|3|10]"
		}
		if err != nil || counts != want {
			t.Errorf("%+v, %v", counts, err)
		}
		if got := fmt.Sprint(e.rows(t, "SELECT * FROM things ORDER BY c")); got != held {
			t.Errorf("got %s", got)
		}
		bad := e.rejects(t, 1)
		if e.dialect == db.MySQL && !strings.Contains(bad[5], "column a: 4 characters are more than the 3") ||
			!strings.Contains(bad[6], "column") {
			t.Errorf("rejected: %v", bad)
		}
	})
}

// A file that comes again, whole or behind where it was cut off, loads nothing
// twice, and gives the same counts.
func TestLoadAgainLoadsNothingTwice(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		var content bytes.Buffer
		const lines = 60_000 // of 200 bytes: three sections
		for i := range lines {
			fmt.Fprintf(&content, "{\"n\":%d,\"pad\":\"%s\"}\n", i, strings.Repeat("x", 180))
		}
		l := e.loader(t, Args{Into: "things", Create: true, Map: []string{"n:int"}})
		var observed tally
		src := Input{Transfer: 1, Step: 1, File: 1, Abreast: 3, Observe: observed.add}
		cut := errors.New("cut off")
		half := io.MultiReader(bytes.NewReader(content.Bytes()[:content.Len()/2]), failing{cut})
		counts, err := l.Load(t.Context(), src, half)
		if !errors.Is(err, cut) || counts.Loaded == 0 || counts.Loaded >= lines {
			t.Fatalf("%+v, %v", counts, err)
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Load(canceled, src, bytes.NewReader(content.Bytes())); !errors.Is(err, context.Canceled) {
			t.Errorf("told to stop: %v", err)
		}
		for range 2 {
			counts, err = l.Load(t.Context(), src, bytes.NewReader(content.Bytes()))
			if err != nil || counts.Loaded != lines || counts.Lines != lines || counts.Bytes != int64(content.Len()) {
				t.Errorf("%+v, %v", counts, err)
			}
		}
		if got := e.rows(t, "SELECT COUNT(*), COUNT(DISTINCT n) FROM things"); got[0] != fmt.Sprintf("%d|%d", lines, lines) {
			t.Errorf("rows: %v", got)
		}
		if n := observed.sum(); n.Loaded != lines {
			t.Errorf("%d lines were observed", n.Loaded)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Of a compressed file that was cut off the lines before are in; when it is
// whole again the rest goes in.
func TestTruncatedFile(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		var content strings.Builder
		const lines = 100_000
		for i := range lines {
			fmt.Fprintf(&content, "{\"n\":%d,\"pad\":\"%x\"}\n", i, i*7919)
		}
		l := e.loader(t, Args{Into: "things", Create: true, Map: []string{"n:int"}})
		for i, packed := range [][]byte{gzipped(t, content.String()), zstandard(t, content.String())} {
			src := Input{Transfer: 1, Step: 1, File: int64(i) + 1, Abreast: 2}
			counts, err := File(t.Context(), l, src, bytes.NewReader(packed[:len(packed)*2/3]))
			if !errors.Is(err, ErrCompressed) || counts.Loaded == 0 || counts.Loaded >= lines || counts.Bad > 0 {
				t.Errorf("cut off: %+v, %v", counts, err)
			}
			counts, err = File(t.Context(), l, src, bytes.NewReader(packed))
			if err != nil || counts.Loaded != lines || counts.Bad > 0 {
				t.Errorf("whole: %+v, %v", counts, err)
			}
		}
		if got := e.rows(t, "SELECT COUNT(*), COUNT(DISTINCT n) FROM things"); got[0] != fmt.Sprintf("%d|%d", 2*lines, lines) {
			t.Errorf("rows: %v", got)
		}
	})
}

// A line that is too long, and one that is too large for a row, are rejected.
func TestLongLines(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		l := e.loader(t, Args{Into: "things", Create: true, Map: []string{"a:text"}})
		line := func(n int) string { return `{"a":"` + strings.Repeat("x", n) + "\"}\n" }
		counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1},
			strings.NewReader(line(1)+line(lineBytes)+line(2)+line(lineBytes-9)+line(1<<20)))
		if err != nil || counts.Loaded != 3 || counts.Bad != 2 || counts.Lines != 5 {
			t.Errorf("%+v, %v", counts, err)
		}
		bad := e.rejects(t, 1)
		if !strings.Contains(bad[2], "bytes long, longer than the limit of 8388608") || !strings.Contains(bad[4], "larger than 7 MiB") {
			t.Errorf("rejected: %v", bad)
		}
	})
}

func TestCreateNeedsTypes(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		for _, a := range []Args{
			{Into: "things", Create: true, Map: []string{"a"}},
			{Into: "things", Create: true},
			{Into: "things", Create: true, Map: []string{"a:int"}, Key: []string{"b"}},
			{Into: "things", Map: []string{"a:int"}},
		} {
			p, err := a.Resolve()
			if err == nil {
				_, err = NewLoader(t.Context(), e.Store, p, nil)
			}
			if !errors.Is(err, ErrPlan) && !errors.Is(err, tableload.ErrTable) && !errors.Is(err, tableload.ErrNoTable) {
				t.Errorf("%+v: %v", a, err)
			}
		}
	})
}

// withoutJSON removes the values of the last two columns.
func withoutJSON(rows []string) {
	for i, row := range rows {
		rows[i] = strings.Join(strings.Split(row, "|")[:6], "|")
	}
}

// A document that nests deeper than the JSON of MariaDB or MySQL takes is told as such.
func TestDeepDocuments(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
		l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"d:json"}})
		_, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1}, strings.NewReader(
			`{"d":`+nested(20)+"}\n"+`{"d":`+nested(200)+"}\n"+`{"d":`+nested(600)+"}\n"))
		bad := e.rejects(t, 1)
		if err != nil || bad[1] != "" || bad[3] != "objects and arrays nest more than 500 deep" {
			t.Errorf("%v, %v", bad, err)
		}
		told := "column d: the value is not JSON, or nests deeper"
		if e.ownJSON {
			told = "objects and arrays nest deeper than its JSON columns allow"
		}
		if e.dialect == db.MySQL && !strings.Contains(bad[2], told) {
			t.Errorf("%v", bad)
		}
	})
}
