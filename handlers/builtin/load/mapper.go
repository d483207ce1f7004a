package load

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/tableload"
)

// mapper turns lines into rows. It has buffers, so only one goroutine may use it.
type mapper struct {
	columns []tableload.Column
	kinds   []tableload.ColumnType
	strings map[int]bool // columns of numbers that also accept strings
	wanted  *place
	whole   bool // every column takes the whole document, which need not be an object then
	keyword []byte
	scanner scanner
	text    []byte

	unmapped unmapped
}

// lineResult is the outcome of a line.
type lineResult byte

const (
	lineAdded lineResult = iota
	lineSkipped
	lineRejected
)

// addSection turns those lines of a section into rows of sec whose number wanted selects.
// It counts the others as unchanged.
func (m *mapper) addSection(sec *tableload.Section, from *section, wanted func(line int64) bool) {
	data, no := withoutMark(from), from.line
	for ; len(data) > 0; no++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		data = rest
		sec.Lines++
		if !wanted(no) {
			sec.Unchanged++
			continue
		}
		line = bytes.TrimSuffix(line, []byte{'\r'})
		result, err := m.addLine(sec.Rows, line, no)
		m.unmapped.end(result == lineAdded)
		switch result {
		case lineRejected:
			sec.Rejects = append(sec.Rejects, tableload.NewRejectedLine(no, err.Error(), line))
		case lineSkipped:
			sec.Skipped++
		case lineAdded:
		}
	}
	sec.Unmapped, sec.UnmappedNames = m.unmapped.values, m.unmapped.shortNames()
}

// addLine turns a line, without its line end, into a row. The error says why the line
// is rejected.
func (m *mapper) addLine(rows *tableload.RowBuffer, line []byte, no int64) (lineResult, error) {
	if isSkipped(line, m.keyword) {
		return lineSkipped, nil
	}
	if len(line) > lineBytes {
		return lineRejected, tooLong(int64(len(line)))
	}
	if err := m.scanner.scan(line, m.wanted); err != nil {
		return lineRejected, err
	}
	if !m.whole && bytes.TrimLeft(line, " \t\r")[0] != '{' {
		return lineRejected, errors.New("the line is JSON, but not an object")
	}
	if noneFound(m.scanner.found) {
		return lineRejected, errors.New("the line has no value for any column")
	}
	for i := range m.columns {
		if err := m.put(rows, i, m.scanner.found[i]); err != nil {
			rows.DiscardRow()
			return lineRejected, fmt.Errorf("column %s: %w", m.columns[i].Name, err)
		}
	}
	rows.EndRow(no, line)
	return lineAdded, nil
}

func tooLong(size int64) error {
	return fmt.Errorf("the line is %d bytes long, longer than the limit of %d", size, lineBytes)
}

func (m *mapper) put(rows *tableload.RowBuffer, i int, v value) error {
	c := &m.columns[i]
	if v.form == missing || v.form == null && (c.Key || m.kinds[i] != tableload.ColumnJSON) {
		if c.Key {
			return errors.New("no value, and it is part of the key")
		}
		if c.Required {
			return errors.New("no value, and it is NOT NULL")
		}
		rows.SetDefault(c)
		return nil
	}
	if m.strings[i] && v.form == text {
		v = m.numberIn(v)
	}
	switch m.kinds[i] {
	case tableload.ColumnInt:
		return putInt(rows, c, v)
	case tableload.ColumnFloat:
		return putFloat(rows, c, v)
	case tableload.ColumnDecimal:
		return putDecimal(rows, c, v)
	case tableload.ColumnBool:
		return putBool(rows, c, v)
	case tableload.ColumnTime, tableload.ColumnDate:
		return m.putTime(rows, c, v)
	case tableload.ColumnJSON:
		if v.form == null && !c.Required {
			rows.SetDefault(c)
			return nil
		}
		rows.AddText(v.raw)
		return nil
	case tableload.ColumnText:
	}
	return m.putText(rows, c, v)
}

// mismatch is the error of a value that does not have the form of its column.
func mismatch(v value, want string) error {
	what := map[form]string{boolean: "a boolean", number: "a number", text: "a string", object: "an object", array: "an array"}[v.form]
	return fmt.Errorf("%s is %s, not %s", shown(v.raw), what, want)
}

// shown shortens a value for a message.
func shown(raw []byte) string {
	const most = 60
	if len(raw) > most {
		return string(bytes.ToValidUTF8(raw[:most], nil)) + "…"
	}
	return string(raw)
}
