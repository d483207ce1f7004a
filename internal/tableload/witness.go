package tableload

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// witness has some rows of a section, by which a later load recognizes whether the table
// still has rows of earlier loads. Rows with a key are recognized by it, because their other
// columns may change.
type witness struct {
	Keyed   bool     `json:"keyed"`
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"` // a json.Number or a string a column; nil: not compared
}

// Limits on a witness.
const (
	witnessRows    = 8   // of a section
	witnessColumns = 8   // of rows without a key
	witnessText    = 255 // bytes of a value
)

// witness picks rows of a section, evenly spaced, of those that are not rejected. It
// returns "" when the rows cannot be recognized.
func (l *loading) witness() (string, error) {
	use := l.t.comparable()
	rows := l.section.Rows.rows
	if len(use) == 0 || len(rows) == 0 {
		return "", nil
	}
	w := witness{Keyed: l.t.columns[use[0]].Key}
	for _, i := range use {
		w.Columns = append(w.Columns, l.t.columns[i].Name)
	}
	gone := make(map[int64]bool, len(l.rejected))
	for i := range l.rejected {
		gone[l.rejected[i].Line] = true
	}
	picked := min(witnessRows, len(rows))
	for n := range picked {
		row := &rows[n*(len(rows)-1)/max(picked-1, 1)]
		if gone[row.line] {
			continue
		}
		values := literals(l.section.Rows.text[row.from+1 : row.to-1])
		if picked := pick(values, use); w.Keyed && !slices.Contains(picked, nil) || !w.Keyed && !allNil(picked) {
			w.Rows = append(w.Rows, picked)
		}
	}
	if len(w.Rows) == 0 {
		return "", nil
	}
	text, err := json.Marshal(w)
	return string(text), err
}

// comparable lists the positions of the columns that recognize a row: those of the key, or
// else some whose values are stored exactly as they are written.
func (t *Table) comparable() []int {
	var use []int
	for i := range t.columns {
		c := &t.columns[i]
		if !c.Key {
			continue
		}
		if c.Kind == ColumnFloat || c.Kind == ColumnJSON {
			return nil
		}
		use = append(use, i)
	}
	if len(use) > 0 {
		return use
	}
	for i := range t.columns {
		switch t.columns[i].Kind {
		case ColumnInt, ColumnText, ColumnBool:
			if t.columns[i].declared == "" && len(use) < witnessColumns {
				use = append(use, i)
			}
		case ColumnFloat, ColumnDecimal, ColumnTime, ColumnDate, ColumnJSON:
		}
	}
	return use
}

func pick(values []any, use []int) []any {
	picked := make([]any, len(use))
	for n, i := range use {
		if i < len(values) {
			picked[n] = values[i]
		}
	}
	return picked
}

func allNil(values []any) bool {
	return !slices.ContainsFunc(values, func(v any) bool { return v != nil })
}

// plainNumber matches the numbers of a witness, which stand in the statement as they are:
// a column of integers would not use its index for a text.
var plainNumber = regexp.MustCompile(`^-?[0-9]{1,65}(\.[0-9]{1,65})?$`)

// literals reads back the values of a row's text. A value that does not serve to recognize
// the row is nil.
func literals(row []byte) []any {
	var values []any
	for len(row) > 0 {
		end, quoted := 0, false
		for ; end < len(row) && (quoted || row[end] != ','); end++ {
			if row[end] == '\'' {
				quoted = !quoted // doubled quotes do it twice
			}
		}
		values = append(values, literal(row[:end]))
		row = row[min(end+1, len(row)):]
	}
	return values
}

func literal(text []byte) any {
	if plainNumber.Match(text) {
		return json.Number(text)
	}
	if data, ok := bytes.CutPrefix(text, []byte("_utf8mb4 x'")); ok {
		value, err := hex.DecodeString(strings.TrimSuffix(string(data), "'"))
		if err != nil || len(value) > witnessText || bytes.Contains(value, []byte{0}) {
			return nil
		}
		return string(value)
	}
	if len(text) < 2 || text[0] != '\'' || len(text) > witnessText {
		return nil
	}
	return strings.ReplaceAll(string(text[1:len(text)-1]), "''", "'")
}
