package tableload

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/db"
)

// RowBuffer collects rows for one table as the text of an INSERT's values, so values are
// neither boxed nor bound as parameters. Fill it row by row: a call for each column in
// order, then EndRow or DiscardRow. Make one with Table.Rows; Table.Empty resets it. It is
// not safe for concurrent use.
type RowBuffer struct {
	sqlite  bool
	text    db.Literals // "(…),(…)"
	rows    []rowEnd
	started bool

	statement []byte // the statement that is being sent
}

// rowEnd is the position of a row's text, and the line of the row.
type rowEnd struct {
	from, to int
	line     int64
	source   []byte
}

// Len is the number of complete rows.
func (r *RowBuffer) Len() int { return len(r.rows) }

// reset removes all rows and keeps the memory.
func (r *RowBuffer) reset() {
	clear(r.rows) // so that the sources can be collected
	r.text, r.rows, r.started = r.text[:0], r.rows[:0], false
}

// EndRow completes a row. line is the number of its line and source the line's content,
// which must not change until the rows are loaded.
func (r *RowBuffer) EndRow(line int64, source []byte) {
	r.text = append(r.text, ')')
	r.rows = append(r.rows, rowEnd{r.begin(), len(r.text), line, source})
	r.started = false
}

// DiscardRow removes the incomplete row.
func (r *RowBuffer) DiscardRow() {
	if n := len(r.rows); n > 0 {
		r.text = r.text[:r.rows[n-1].to]
	} else {
		r.text = r.text[:0]
	}
	r.started = false
}

// begin is the position where the text of the current row begins.
func (r *RowBuffer) begin() int {
	if n := len(r.rows); n > 0 {
		return r.rows[n-1].to + 1 // behind the comma
	}
	return 0
}

func (r *RowBuffer) next() {
	switch {
	case r.started:
		r.text = append(r.text, ',')
	case len(r.rows) > 0:
		r.text = append(r.text, ',', '(')
	default:
		r.text = append(r.text, '(')
	}
	r.started = true
}

// SetDefault adds the value of a column that has none in the line: NULL or its default.
func (r *RowBuffer) SetDefault(c *Column) {
	r.next()
	r.text = append(r.text, c.missing...)
}

// AddNumber adds a number as it is written in JSON. It writes an approximate number with
// an exponent, because the database would read a short one as a decimal.
func (r *RowBuffer) AddNumber(number []byte, approximate bool) {
	r.next()
	r.text = append(r.text, number...)
	if approximate && !slices.ContainsFunc(number, func(c byte) bool { return c == 'e' || c == 'E' }) {
		r.text = append(r.text, 'e', '0')
	}
}

// AddDecimal adds a number that must keep all digits. SQLite would read it as floating
// point, so it gets text there, which a column of numbers converts.
func (r *RowBuffer) AddDecimal(number []byte) {
	if r.sqlite {
		r.AddText(number)
		return
	}
	r.AddNumber(number, false)
}

// AddBool adds 1 or 0.
func (r *RowBuffer) AddBool(b bool) {
	r.next()
	r.text = r.text.Bool(b)
}

// AddTime adds a time in UTC, to the microsecond.
func (r *RowBuffer) AddTime(t time.Time) {
	r.next()
	r.text = r.text.Time(t)
}

// AddText adds valid UTF-8.
func (r *RowBuffer) AddText(text []byte) {
	r.next()
	if r.sqlite {
		r.text = appendSQLite(r.text, text)
		return
	}
	r.text = db.AppendText(r.text, text)
}

// appendSQLite quotes text. SQLite reads a string up to a NUL only, so text with a NUL is
// written in hexadecimal.
func appendSQLite(to db.Literals, text []byte) db.Literals {
	start := len(to)
	to = append(to, '\'')
	from := 0
	for i, c := range text {
		switch c {
		case 0:
			to = append(to[:start], "CAST(x'"...)
			return append(hex.AppendEncode(to, text), "' AS TEXT)"...)
		case '\'':
			to = append(append(to, text[from:i]...), '\'', '\'')
			from = i + 1
		}
	}
	return append(append(to, text[from:]...), '\'')
}
