package load

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/balerhq/baler/internal/testkit"
)

// utf16Of is text in UTF-16, with the low byte of each unit first.
func utf16Of(s string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	long := `{"a":"` + strings.Repeat("x", checkBytes) + "\"}\n"
	for name, tt := range map[string]struct{ content, want string }{
		"lines":                      {"{\"a\":1}\n[1]\n\"x\"\n", ""},
		"empty":                      {"", ""},
		"blanks":                     {"\n\n", ""},
		"a bad first line":           {"{\"a\":\n{\"a\":1}\n", ""},
		"a first line that is cut":   {"{\"a\":1,\n", ""},
		"no JSON":                    {"a,b\n1,2\n", ""},
		"a long line":                {long + long, ""},
		"a long line that is cut":    {long[:len(long)-3], ""},
		"pretty-printed":             {"{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n", "one JSON document over several lines, not one document per line: convert it, for example with jq -c '.' "},
		"pretty-printed and long":    {"\ufeff{\n  \"a\": {\n" + strings.Repeat("\"b\":1,\n", checkBytes), "one JSON document over several lines"},
		"an array":                   {"[\n{\"a\":1},\n{\"a\":2}\n]\n", "a JSON array over several lines, not one document per line: convert it, for example with jq -c '.[]' "},
		"a long array":               {"[" + long[:len(long)-1] + ",\n" + long, ""},
		"an array of objects a line": {"[{\"a\":1},{\"a\":2}]\n", "a JSON array of objects in one line"},
		"a carriage return a line":   {"{\"a\":1}\r{\"a\":2}\r", "several JSON documents in one line, not one document per line: convert it, for example with jq -c '.' "},
		"many and long":              {strings.Repeat("{\"a\":1} ", checkBytes), "several JSON documents in one line"},
		"text behind a document":     {"{\"a\":1} x\n", ""},
		"UTF-16 with a mark":         {utf16Of("\ufeff{\"a\":1}\n"), "text in UTF-16, and JSON lines are UTF-8: convert it, for example with iconv -f UTF-16 "},
		"UTF-16":                     {utf16Of("{\"a\":1}\n"), "text in UTF-16LE"},
		"UTF-32 with a mark":         {"\xff\xfe\x00\x00{\x00\x00\x00}\x00\x00\x00", "text in UTF-32, and"},
		"UTF-32":                     {"{\x00\x00\x00\"\x00\x00\x00", "text in UTF-32LE"},
		"UTF-32 with the high first": {"\x00\x00\x00{\x00\x00\x00\"", "text in UTF-32BE"},
		"Latin-1":                    {"{\"a\":\"x\"}\n{\"a\":\"caf\xe9\"}\n", "text in ISO-8859-1, and JSON lines are UTF-8"},
		"UTF-8":                      {"{\"a\":\"café\"}\n{\"a\":\"caf\xe9\"}\n", ""},
		"garbage":                    {"{\"a\":1}\n\xff\xfe\xfd\n", ""},
		"UTF-8 that is cut":          {strings.Repeat("x", checkBytes-1) + "é\n", ""},
		"lz4":                        {"\x04\x22\x4d\x18rest", "it is compressed with lz4"},
		"gzip of an array":           {string(gzipped(t, "[\n1,\n2]")), "a JSON array over several lines"},
		"damaged gzip":               {"\x1f\x8b\x08", ""},
	} {
		path := testkit.WriteFileIn(t, dir, name, tt.content)
		err := (&Plan{}).CheckFiles(t.Context(), &LineFiles{Paths: []string{path}})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	array := testkit.WriteFileIn(t, dir, "array", "[{\"a\":1}]\n")
	if err := (&Plan{LineColumn: "doc"}).CheckFiles(t.Context(), &LineFiles{Paths: []string{array}}); err != nil {
		t.Errorf("whole lines may be arrays: %v", err)
	}
	none := filepath.Join(dir, "none")
	if err := (&Plan{}).CheckFiles(t.Context(), &LineFiles{Paths: []string{array + "x", none}}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a file that is not there: %v", err)
	}
}
