package db

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"io"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// FuzzLiterals compares what Literals writes with what the MySQL driver puts into
// a statement for the same values: both must mean the same to the server. The
// driver escapes more bytes than needed, so the literals are compared unescaped.
func FuzzLiterals(f *testing.F) {
	for _, text := range []string{
		"", "plain", "it's", `say "it"`, `back\slash`, `\`, `\'`, "'; DROP TABLE results; --", "nul\x00nul", "\x00", "line\nline\r\n", "\x1a",
		"é 日本 🙂", "\xff\xfe", "\xbf'", "\xbf\\'", "cut \xf0\x9f", "?", "%_",
	} {
		f.Add(text, int64(len(text)), int64(1763740800123456), len(text)%2 == 0)
	}
	f.Add("", int64(math.MinInt64), int64(0), true)
	f.Add("", int64(math.MaxInt64), int64(-1), false)
	f.Add("", int64(-1), int64(-62135596800000000), false) // year 1
	f.Add("", int64(0), int64(253402300799999999), false)  // the end of year 9999
	f.Add("", int64(0), int64(-30610224000000000), false)  // year 1000
	f.Add("", int64(0), int64(-30610224000000001), true)   // just before it
	interpolate := interpolation(f)
	first, last := time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	f.Fuzz(func(t *testing.T, text string, number, micros int64, set bool) {
		at := time.UnixMicro(micros)
		if at.Before(first) || at.After(last) {
			at = first
		}
		for _, c := range []struct {
			name    string
			literal Literals
			value   driver.Value
		}{
			{"text", Literals(nil).Text(text), text},
			{"binary", Literals(nil).Binary([]byte(text)), []byte(text)},
			{"number", Literals(nil).Number(number), number},
			{"bool", Literals(nil).Bool(set), set},
			{"null", Literals(nil).Null(), nil},
			{"time", Literals(nil).Time(at), at},
		} {
			sent := interpolate(t, c.value)
			written, want := unescape(t, string(c.literal)), unescape(t, sent)
			if c.name == "time" {
				want = wholeTime(want)
			}
			if written != want {
				t.Errorf("%s: Literals %q, the driver %q", c.name, c.literal, sent)
			}
		}
		if at.Year() < 1000 {
			return // written as text
		}
		digits := strings.NewReplacer("'", "", "-", "", " ", "", ":", "").Replace(string(Literals(nil).Time(at)))
		if got := string(Literals(nil).TimeNumber(at)); got != digits {
			t.Errorf("TimeNumber %s, want %s", got, digits)
		}
	})
}

// unescape returns a literal with its escapes resolved as the server does: in
// hexadecimal without an introducer. It fails the test when the literal ends before
// its text does.
func unescape(t *testing.T, literal string) string {
	t.Helper()
	literal = strings.TrimPrefix(strings.TrimPrefix(literal, "_utf8mb4 "), "_binary")
	if digits, is := strings.CutPrefix(literal, "x'"); is {
		text, err := hex.DecodeString(strings.TrimSuffix(digits, "'"))
		if err != nil {
			t.Fatalf("%q: %v", literal, err)
		}
		return "'" + string(text) + "'"
	}
	body, quoted := strings.CutPrefix(literal, "'")
	if !quoted {
		return literal
	}
	body, ended := strings.CutSuffix(body, "'")
	if !ended {
		t.Fatalf("%q has no end", literal)
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case c != '\'' && c != '\\':
			b.WriteByte(c)
			continue
		case i+1 == len(body) || c == '\'' && body[i+1] != '\'':
			t.Fatalf("%q ends at its byte %d", literal, i)
		}
		i++
		if from := strings.IndexByte("0nrZ", body[i]); c == '\\' && from >= 0 {
			b.WriteByte("\x00\n\r\x1a"[from])
		} else {
			b.WriteByte(body[i])
		}
	}
	return "'" + b.String() + "'"
}

// wholeTime adds the time of day and the fraction that the driver leaves out when
// they are 0.
func wholeTime(literal string) string {
	const midnight = " 00:00:00.000000"
	text := strings.TrimSuffix(literal, "'")
	if n := len(text) - len("'2006-01-02"); n < len(midnight) {
		text += midnight[n:]
	}
	return text + "'"
}

// interpolation returns a function that asks the MySQL driver for the literal of
// a value: the driver is connected to a server that answers OK to everything and
// keeps the last statement.
func interpolation(tb testing.TB) func(testing.TB, driver.Value) string {
	tb.Helper()
	client, server := net.Pipe()
	statements := make(chan string, 1)
	go serveMySQL(server, statements)
	cfg := mysql.NewConfig()
	cfg.User, cfg.Loc, cfg.InterpolateParams, cfg.Logger = "u", time.UTC, true, &mysql.NopLogger{}
	cfg.DialFunc = func(context.Context, string, string) (net.Conn, error) { return client, nil }
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	conn, err := connector.Connect(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() }) // also ends serveMySQL
	return func(tb testing.TB, v driver.Value) string {
		tb.Helper()
		args := []driver.NamedValue{{Ordinal: 1, Value: v}}
		if _, err := conn.(driver.ExecerContext).ExecContext(context.Background(), "DO ?", args); err != nil {
			tb.Fatal(err)
		}
		return strings.TrimPrefix(<-statements, "DO ")
	}
}

// serveMySQL is the least of a MySQL server: a greeting, then OK to each command.
// It passes on the text of each query that begins with DO.
func serveMySQL(conn net.Conn, statements chan<- string) {
	defer conn.Close()
	greeting := "\x0a8.0.0\x00" + "\x01\x00\x00\x00" + "abcdefgh" + "\x00" +
		"\xff\xf7" + "\x2d" + "\x02\x00" + "\x0f\x00" + "\x15" + strings.Repeat("\x00", 10) + "ijklmnopqrst\x00" + "mysql_native_password\x00"
	ok := "\x00\x00\x00\x02\x00\x00\x00"
	if writePacket(conn, 0, greeting) != nil {
		return
	}
	for {
		number, body, err := readPacket(conn)
		if err != nil {
			return
		}
		if text, is := strings.CutPrefix(body, "\x03DO "); is {
			statements <- "DO " + text
		}
		if writePacket(conn, number+1, ok) != nil {
			return
		}
	}
}

func writePacket(conn net.Conn, number byte, body string) error {
	n := len(body)
	_, err := conn.Write(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), number}, body...))
	return err
}

func readPacket(conn net.Conn) (number byte, body string, err error) {
	var header [4]byte
	if _, err = io.ReadFull(conn, header[:]); err != nil {
		return 0, "", err
	}
	b := make([]byte, int(header[0])|int(header[1])<<8|int(header[2])<<16)
	_, err = io.ReadFull(conn, b)
	return header[3], string(b), err
}
