package load

import (
	"bytes"

	"github.com/balerhq/baler/internal/tableload"
)

// inferValues is how many values of a column decide its type. A later value of another
// form, such as the only string among numbers, is probably a bad line. Later numbers still
// widen the type, so that it holds all of them.
const inferValues = 1000

// guess records which forms the values of a column have.
type guess struct {
	values                                   int
	ints, floats, bools, times, texts, trees bool

	large   bool // whole numbers that do not fit into 64-bit integers
	precise bool // numbers that lose digits in floating point
	odd     bool // numbers that lose digits in a new column of decimals
}

func (g *guess) see(v value) {
	if v.form == missing || v.form == null {
		return
	}
	g.values++
	if g.values > inferValues && (v.form != number || !g.ints && !g.floats) {
		return
	}
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

// The digits of a new column of decimals on MySQL.
const (
	decimalWhole    = 45
	decimalFraction = 20
)

func (g *guess) seeNumber(raw []byte) {
	whole := !bytes.ContainsAny(raw, ".eE")
	g.ints = g.ints || whole
	g.floats = g.floats || !whole
	if len(raw) <= 15 && (whole || isPlain(raw)) {
		return // it fits every type
	}
	g.large = g.large || whole && !fits(raw, false)
	g.precise = g.precise || !keepsDigits(raw, 64)
	d := digitsOf(raw)
	g.odd = g.odd || !isPlain(raw) || d.whole() > decimalWhole || d.decimals() > decimalFraction
}

// kind is the column type that holds all recorded values without changing them.
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
