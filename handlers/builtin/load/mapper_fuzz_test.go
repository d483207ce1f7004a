package load

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/tableload"
)

// For any line, the mapper makes one row or returns an error. It accepts only JSON objects,
// and leaves no part of a row in the buffer.
func FuzzMapper(f *testing.F) {
	for _, seed := range []string{
		`{"text":"a","int":1,"float":1.5,"decimal":0.1,"bool":true,"time":"2024-01-02T03:04:05Z","json":{}}`,
		`{"int":-9223372036854775808,"time":-0.5}`, `{"int":1e1}`, `{"decimal":-.1}`, `{"time":1e9}`, `{"bool":2.0}`, `{"text":"\ud800"}`,
		`{"time":"0000-01-01T00:00:00Z"}`, "{}", "[]", "", " ", `{"text":["x"]}`, `{"float":1e400}`, `{"time":99999999999999999999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m := mapper{kinds: tableload.ColumnTypes()}
		paths := make([][]string, len(m.kinds))
		for i, k := range m.kinds {
			paths[i] = []string{string(k)}
			m.columns = append(m.columns, tableload.Column{Name: string(k), Kind: k, Decimals: -1})
		}
		m.wanted, m.scanner.found = newPlaces(paths), make([]value, len(paths))
		var rows tableload.RowBuffer
		result, err := m.addLine(&rows, line, 1)
		if (result == lineRejected) != (err != nil) || (result == lineAdded) != (rows.Len() == 1) {
			t.Fatalf("%q: %d with %v and %d rows", line, result, err, rows.Len())
		}
		var members map[string]json.RawMessage
		object := utf8.Valid(line) && json.Unmarshal(line, &members) == nil && members != nil
		if result == lineAdded && !object && json.Valid(line) {
			t.Errorf("%q became a row", line)
		}
		if _, err := m.addLine(&rows, []byte(`{"int":7}`), 2); err != nil || rows.Len() != 1+map[lineResult]int{lineAdded: 1}[result] {
			t.Errorf("after %q a good line gives %v and %d rows", line, err, rows.Len())
		}
	})
}
