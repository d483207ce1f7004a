package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/balerhq/baler/internal/tableload"
)

// Limits of inferring the columns of a table from the first lines of content.
const (
	inferLines = 1000
	inferBytes = 1 << 20
	inferMost  = 500 // columns
)

// Infer gives every mapping without a type one that fits the first lines of content.
// Without mappings it makes one for each top-level member, in the order in which they
// appear. It ignores lines without the keyword and lines that are not JSON.
func Infer(content io.Reader, mapping []Mapping, keyword string) ([]Mapping, error) {
	head, err := io.ReadAll(io.LimitReader(content, inferBytes))
	if err != nil && !errors.Is(err, ErrCompressed) { // damage behind the first lines is reported when they are loaded
		return nil, err
	}
	lines := sample(head, []byte(keyword))
	fields := slices.Clone(mapping)
	if len(fields) == 0 {
		fields = members(lines)
	}
	switch {
	case len(lines) == 0:
		return nil, fmt.Errorf("%w: the first lines hold no JSON to tell the columns by; say them with a mapping that has types", ErrPlan)
	case len(fields) == 0:
		return nil, fmt.Errorf("%w: the first lines are no objects with members; say the columns with a mapping", ErrPlan)
	case len(fields) > inferMost:
		return nil, fmt.Errorf("%w: the first lines have %d different members; say with a mapping which of them are columns",
			ErrPlan, len(fields))
	}
	for i := range fields {
		if err := tableload.CheckName(fields[i].Column); err != nil {
			return nil, fmt.Errorf("%w; give it a column with a mapping", err)
		}
	}
	guesses := make([]guess, len(fields))
	s := scanner{found: make([]value, len(fields))}
	wanted := newPlaces(pathsOf(fields))
	for _, line := range lines {
		if s.scan(line, wanted) != nil {
			continue
		}
		for i := range guesses {
			guesses[i].see(s.found[i])
		}
	}
	for i := range fields {
		if fields[i].Kind == "" {
			fields[i].Kind = guesses[i].kind()
		}
	}
	return fields, nil
}

// sample returns the first JSON lines with the keyword. It drops a line that the end
// of head cuts off, unless there is no other.
func sample(head, keyword []byte) (lines [][]byte) {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if end := bytes.LastIndexByte(head, '\n'); len(head) == inferBytes && end >= 0 {
		head = head[:end]
	}
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if json.Valid(line) && bytes.Contains(line, keyword) && len(lines) < inferLines {
			lines = append(lines, line)
		}
	}
	return lines
}

// members maps the top-level members of the lines' objects, in the order in which they
// appear.
func members(lines [][]byte) (fields []Mapping) {
	known := make(map[string]bool)
	for _, line := range lines {
		d := json.NewDecoder(bytes.NewReader(line))
		if t, err := d.Token(); err != nil || t != json.Delim('{') {
			continue
		}
		for d.More() {
			t, err := d.Token()
			name, ok := t.(string)
			var value json.RawMessage
			if err != nil || !ok || d.Decode(&value) != nil {
				break
			}
			if !known[name] {
				known[name] = true
				fields = append(fields, Mapping{Column: name, Path: []string{name}})
			}
		}
	}
	return fields
}

// guess records which forms the values of a column have.
type guess struct {
	ints, floats, bools, times, texts, trees bool

	large   bool // whole numbers that are no 64-bit integers
	precise bool // numbers of which floating point loses digits
	odd     bool // numbers that no new column of decimals keeps
}

func (g *guess) see(v value) {
	switch v.form {
	case number:
		g.seeNumber(v.raw)
	case boolean:
		g.bools = true
	case text:
		isTime := !g.texts && isPlainTime(string(v.raw[1:len(v.raw)-1]))
		g.times = g.times || isTime
		g.texts = g.texts || !isTime
	case object, array:
		g.trees = true
	case missing, null:
	}
}

// What a new column of decimals keeps on MySQL.
const (
	decimalWhole    = 45
	decimalFraction = 20
)

func (g *guess) seeNumber(raw []byte) {
	whole := !bytes.ContainsAny(raw, ".eE")
	g.ints = g.ints || whole
	g.floats = g.floats || !whole
	if len(raw) <= 15 && (whole || isPlain(raw)) {
		return // every type keeps it
	}
	g.large = g.large || whole && !fits(raw, false)
	g.precise = g.precise || !keepsDigits(raw, 64)
	d := digitsOf(raw)
	g.odd = g.odd || !isPlain(raw) || d.whole() > decimalWhole || d.decimals() > decimalFraction
}

// kind is the column type that holds all values seen, each as it is.
func (g *guess) kind() tableload.ColumnType {
	numbers := g.ints || g.floats
	switch others := g.texts || g.bools && (numbers || g.times) || g.times && numbers; {
	case g.trees:
		return tableload.ColumnJSON
	case others:
		return tableload.ColumnText
	case g.bools:
		return tableload.ColumnBool
	case g.times:
		return tableload.ColumnTime
	case numbers:
		return g.numberKind()
	}
	return tableload.ColumnText
}

func (g *guess) numberKind() tableload.ColumnType {
	switch {
	case !g.floats && !g.large:
		return tableload.ColumnInt
	case g.floats && !g.precise:
		return tableload.ColumnFloat
	case g.odd:
		return tableload.ColumnText // as they are written
	}
	return tableload.ColumnDecimal
}
