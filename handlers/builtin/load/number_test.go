package load

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestDigitsOf(t *testing.T) {
	for raw, want := range map[string]string{
		"0": " 0", "-0.00": " 0", "7": "7 1", "-120": "12 3", "0.0012": "12 -2", "1.7041646451E9": "17041646451 10", "1200e-2": "12 2",
		"1e99999999999999999999": "1 1048577", "1e-99999999999999999999": "1 -1048575",
	} {
		if d := digitsOf([]byte(raw)); fmt.Sprintf("%s %d", d.significant, d.point) != want {
			t.Errorf("%s: %s %d, want %s", raw, d.significant, d.point, want)
		}
	}
}

// A number keeps its digits when the number that floating point makes of it, written
// with so many digits, is the same.
func TestKeepsDigits(t *testing.T) {
	for raw, want := range map[string][2]bool{ // with 64 and with 32 bits
		"0": {true, true}, "0.1": {true, true}, "-16777216": {true, true}, "16777217": {true, false}, "9007199254740992": {true, true},
		"9007199254740993": {false, false}, "9007199254740993.0": {false, false}, "0.10000000000000001": {true, false}, "3.14159265": {true, false},
		"0.10000000149011612": {true, true}, "0.12345678901234567890": {false, false}, "1e999": {false, false}, "1e-999": {false, false},
		"1.7976931348623157e308": {true, false}, "5e-324": {true, false}, "4e-324": {false, false},
		"5.684341886080802e-14":       {true, false}, // 2^-44, whose 16 digits are 5.684341886080801e-14
		"1" + strings.Repeat("0", 22): {true, false}, "1" + strings.Repeat("0", 23): {false, false}, "1e23": {true, true}, "1." + strings.Repeat("3", 9000): {false, false},
	} {
		if got := [2]bool{keepsDigits([]byte(raw), 64), keepsDigits([]byte(raw), 32)}; got != want {
			t.Errorf("%s: %v, want %v", raw, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Filter(func(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }).Draw(t, "f")
		for _, format := range []byte("eg") {
			if raw := strconv.FormatFloat(f, format, -1, 64); !keepsDigits([]byte(raw), 64) {
				t.Errorf("%s loses digits", raw)
			}
		}
		n := rapid.Int64().Draw(t, "n")
		_, accuracy := new(big.Float).SetInt64(n).Float64()
		if raw := strconv.FormatInt(n, 10); keepsDigits([]byte(raw), 64) != (accuracy == big.Exact) {
			t.Errorf("%s keeps its digits: %v", raw, accuracy != big.Exact)
		}
	})
}

// A value that a column of numbers or times does not keep to the last digit is rejected,
// whatever type the mapping gives it.
func TestNumbersAndTimesAreNotBent(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		columns := "i BIGINT, f DOUBLE, d DECIMAL(10,2), at DATETIME(6)"
		if e.dialect == db.SQLite {
			columns = "i INTEGER, f REAL, d DECIMAL, at DATETIME"
		}
		_, err := e.db.ExecContext(t.Context(), "CREATE TABLE t ("+columns+", line INTEGER)")
		testkit.Must(t, err)
		file := int64(0)
		for _, tt := range []struct{ column, kinds, value, want string }{
			{"i", "text json float decimal int", "9007199254740993", "9007199254740993"},
			{"i", "text json float decimal int", "1.5", "not a whole number"},
			{"i", "text", `"12"`, "12"},
			{"i", "text", `"1.5"`, "not a whole number"},
			{"i", "text", `"x"`, "is a string, not a whole number"},
			{"f", "text json float decimal int", "9007199254740993", "more digits than 64-bit floating point keeps"},
			{"f", "float", "0.12345678901234567890", "more digits than 64-bit floating point keeps"},
			{"f", "float", "1e-999", "more digits than"},
			{"f", "text", `"0.5"`, "0.5"},
			{"d", "text json float decimal", "1234567890123456.255", "more"},
			{"d", "text json float decimal", "2.50", "2.5"},
			{"at", "time", "1.7041646451E9", "2024-01-02 03:04:05.100000"},
			{"at", "time int float", "17041646450000000e-7", "2024-01-02 03:04:05.000000"},
			{"at", "time", "-0.000001", "1969-12-31 23:59:59.999999"},
			{"at", "time", "1704164645.0000001", "more digits of a second than the 6"},
			{"at", "time", "1e99", "not a number of seconds"},
			{"at", "time text json", `"2024-01-02T03:04:05.123456000Z"`, "2024-01-02 03:04:05.123456"},
			{"at", "time text", `"2024-01-02T03:04:05.123456789Z"`, "more digits of a second than the 6"},
			{"at", "time", `"2024-01-02T03:04:05.1234560000001Z"`, "more digits of a second than the 6"},
			{"at", "time text", `"2024-01-02T03:04:05+02:00"`, "2024-01-02 01:04:05.000000"},
		} {
			for kind := range strings.FieldsSeq(tt.kinds) {
				file++
				l := e.loader(t, Args{Into: "t", Map: []string{tt.column + "=v:" + kind, "line:int"}})
				line := fmt.Sprintf(`{"v":%s,"line":%d}`, tt.value, file)
				_, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: file}, strings.NewReader(line))
				testkit.Must(t, err)
				got := fmt.Sprint(e.rows(t, fmt.Sprintf("SELECT %s FROM t WHERE line = %d", tt.column, file)), e.rejects(t, file)[1])
				if !strings.Contains(strings.Replace(got, "2.50", "2.5", 1), tt.want) {
					t.Errorf("%s into %s: %s, want %s", line, tt.column+":"+kind, got, tt.want)
				}
			}
		}
	})
}

// Values that MySQL would round or convert are rejected.
func TestWhatMySQLWouldBend(t *testing.T) {
	e := newEnv(t, testkit.MySQL(t))
	_, err := e.db.ExecContext(t.Context(), `CREATE TABLE t (s FLOAT, m DOUBLE(8,2), at DATETIME, ts TIMESTAMP(3) NULL, day DATE, clock TIME,
		y YEAR, word ENUM('a','b','3'), flag BIT(1), bits BIT(8), line INTEGER)`)
	testkit.Must(t, err)
	l := e.loader(t, Args{Into: "t"})
	for i, tt := range []struct{ column, value, want string }{
		{"s", "0.5", "[0.5]"},
		{"s", "16777217", "32-bit floating point"},
		{"m", "1.25", "[1.25]"},
		{"m", "1.255", "more than the 2 decimals"},
		{"at", `"2024-01-02T03:04:05.0Z"`, "[2024-01-02 03:04:05]"},
		{"at", `"2024-01-02T03:04:05.6Z"`, "more digits of a second than the 0"},
		{"ts", `"2024-01-02T03:04:05.678Z"`, "[2024-01-02 03:04:05.678]"},
		{"ts", `"2024-01-02T03:04:05.6789Z"`, "more digits of a second than the 3"},
		{"day", `"2024-01-02"`, "[2024-01-02]"},
		{"day", `"2024-01-02T03:04:05Z"`, "the column keeps dates only"},
		{"day", `"24-1-2"`, "not a time such as"},
		{"clock", `"03:04:05"`, "[03:04:05]"},
		{"clock", `"03:04:05.6"`, "more digits of a second"},
		{"clock", `"11:12"`, "not a time of day"},
		{"y", "2024", "[2024]"},
		{"y", "24", "not a year"},
		{"word", `"b"`, "[b]"},
		{"word", "3", "[3]"},
		{"word", `"1"`, "is not one of"},
		{"word", `"c"`, "the database refuses"},
		{"flag", "true", "[\x01]"},
		{"bits", "65", "[A]"},
		{"bits", `"A"`, "not a whole number"},
	} {
		line := fmt.Sprintf(`{%q:%s,"line":%d}`, tt.column, tt.value, i)
		_, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: int64(i)}, strings.NewReader(line))
		testkit.Must(t, err)
		got := fmt.Sprint(e.rows(t, fmt.Sprintf("SELECT %s FROM t WHERE line = %d", tt.column, i)), e.rejects(t, int64(i))[1])
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", line, got, tt.want)
		}
	}
}

// Every number that a program writes of a float arrives as the same float.
func TestFloatsArriveExactly(t *testing.T) {
	onEach(t, func(t *testing.T, e *env) {
		l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int", "f:float"}})
		var lines strings.Builder
		var all []float64
		for i := range 3000 {
			f := math.Float64frombits(uint64(i+1) * 0x9e3779b97f4a7c15)
			if math.IsNaN(f) || math.IsInf(f, 0) {
				f = 0.1
			}
			all = append(all, f)
			fmt.Fprintf(&lines, "{\"n\":%d,\"f\":%s}\n", i, strconv.FormatFloat(f, 'g', -1, 64))
		}
		counts, err := l.Load(t.Context(), Input{Transfer: 1, Step: 1, File: 1}, strings.NewReader(lines.String()))
		if want := int64(len(all)); err != nil || counts != (tasks.LoadCounts{Bytes: int64(lines.Len()), Lines: want, Loaded: want}) {
			t.Fatalf("%+v, %v", counts, err)
		}
		rows, err := e.db.QueryContext(t.Context(), "SELECT f FROM t ORDER BY n")
		testkit.Must(t, err)
		defer rows.Close()
		for i := 0; rows.Next(); i++ {
			var f float64
			testkit.Must(t, rows.Scan(&f))
			if f != all[i] {
				t.Errorf("%v arrived as %v", all[i], f)
			}
		}
		testkit.Must(t, rows.Err())
	})
}
