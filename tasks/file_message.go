package tasks

import (
	"bytes"
	"strconv"
)

// With one message per file, encoding/json took a quarter of a worker's time. So
// Encode and scanFile write and read the usual form by hand; DecodeFile leaves any
// other form to encoding/json.

// fileFields are the texts before the numbers of a FileMessage, in order.
func fileFields() [5]string {
	return [...]string{`{"v":`, `,"transfer":`, `,"step":`, `,"file":`, `,"bytes":`}
}

// Encode returns the payload as JSON.
func (m FileMessage) Encode() []byte {
	b := make([]byte, 0, 96)
	numbers := [...]int64{int64(m.V), m.Transfer, int64(m.Step), m.File, m.Bytes}
	for i, field := range fileFields() {
		b = strconv.AppendInt(append(b, field...), numbers[i], 10)
	}
	return append(b, '}')
}

// scanFile reads what Encode writes; ok is false for any other form.
func scanFile(payload []byte) (m FileMessage, ok bool) {
	var numbers [5]int64
	rest := payload
	for i, field := range fileFields() {
		if rest, ok = bytes.CutPrefix(rest, []byte(field)); !ok {
			return m, false
		}
		if numbers[i], rest, ok = scanNumber(rest); !ok {
			return m, false
		}
	}
	m = FileMessage{V: int(numbers[0]), Transfer: numbers[1], Step: int(numbers[2]), File: numbers[3], Bytes: numbers[4]}
	return m, len(rest) == 1 && rest[0] == '}'
}

// scanNumber reads the JSON number at the start of b: no sign and no leading zero.
// ok is false when it has none, or more digits than surely fit.
func scanNumber(b []byte) (n int64, rest []byte, ok bool) {
	digits := 0
	for digits < len(b) && '0' <= b[digits] && b[digits] <= '9' {
		n = 10*n + int64(b[digits]-'0')
		if digits++; digits > 18 {
			return 0, nil, false
		}
	}
	return n, b[digits:], digits == 1 || digits > 1 && b[0] != '0'
}
