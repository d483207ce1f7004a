package load

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/testkit"
)

// at scans a line for one path.
func at(line string, path ...string) (value, error) {
	s := scanner{found: make([]value, 1)}
	err := s.scan([]byte(line), newPlaces([][]string{path}))
	return s.found[0], err
}

func TestScannerFindsWhatIsWanted(t *testing.T) {
	const line = ` {"a":1,"b":{"c":[true,{"d":"x\"y"}],"a":2.50e3},"\u0061\/":null,"e":{},"a":9007199254740993} `
	for path, want := range map[string]value{
		"a":         {number, []byte("9007199254740993")}, // the last of two
		"b.a":       {number, []byte("2.50e3")},
		"b.c":       {array, []byte(`[true,{"d":"x\"y"}]`)},
		"b.c.0":     {boolean, []byte("true")},
		"b.c.1.d":   {text, []byte(`"x\"y"`)},
		"a/":        {null, []byte("null")},
		"e":         {object, []byte("{}")},
		"e.f":       {},
		"b.c.2":     {},
		"a.b":       {},
		"nothing":   {},
		"b.c.1.d.e": {},
	} {
		got, err := at(line, strings.Split(path, ".")...)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %d %s, %v", path, got.form, got.raw, err)
		}
	}
	if got, err := at(line); err != nil || string(got.raw) != strings.TrimSpace(line) {
		t.Errorf("the whole: %s, %v", got.raw, err)
	}
}

func TestScannerForgetsTheLineBefore(t *testing.T) {
	s := scanner{found: make([]value, 1)}
	wanted := newPlaces([][]string{{"a"}})
	for _, line := range []string{`{"a":1}`, `{"b":1}`} {
		testkit.Must(t, s.scan([]byte(line), wanted))
	}
	if s.found[0].form != missing {
		t.Errorf("got %s of the line before", s.found[0].raw)
	}
}

func TestScannerRefusesDepth(t *testing.T) {
	for _, open := range []string{"[", `{"a":`} {
		if _, err := at(strings.Repeat(open, 100_000)); err == nil || !strings.Contains(err.Error(), "deep") {
			t.Errorf("%s: %v", open, err)
		}
	}
}

// The scanner takes just what encoding/json takes, and gives the same values.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"b":"x"}}`, `{"a":[1,2]}`, `{"a":-0.1e+5}`, `{"a":01}`, `{"a":1.}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d"}`,
		`{"a":tru}`, `{"a":1,}`, `{,}`, `[1,]`, `"x`, `"\x"`, "\"\t\"", `{"a" : "b" } x`, "", " ", "null", "-", "\ufeff{}", `{"a":"\u00"}`,
		"\"\xff\"", `{"a":nul}`, `{"a":1 "b":2}`, `{"a\u0062":3}`, `{"a":{"a":1},"a":2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		s := scanner{found: make([]value, 2)}
		err := s.scan(line, newPlaces([][]string{{"a"}, {}}))
		if valid := json.Valid(line) && utf8.Valid(line); valid != (err == nil) {
			t.Fatalf("%q: %v, but encoding/json says %v", line, err, valid)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(s.found[1].raw, bytes.Trim(line, " \t\r\n")) {
			t.Errorf("the whole of %q is %q", line, s.found[1].raw)
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(line, &members) != nil || members == nil {
			return
		}
		want, there := members["a"]
		if there != (s.found[0].form != missing) || !bytes.Equal(bytes.TrimSpace(want), s.found[0].raw) {
			t.Errorf("%q: a is %q, want %q", line, s.found[0].raw, want)
		}
		if s.found[0].form == text {
			checkText(t, s.found[0].raw)
		}
	})
}

func checkText(t *testing.T, raw []byte) {
	t.Helper()
	var want string
	testkit.Must(t, json.Unmarshal(raw, &want))
	got, err := unescape(nil, raw[1:len(raw)-1])
	if err != nil {
		if !strings.Contains(want, "\uFFFD") {
			t.Errorf("%s: %v, but it is %q", raw, err, want)
		}
		return
	}
	if string(got) != want {
		t.Errorf("%s is %q, want %q", raw, got, want)
	}
}
