package tasks

import (
	"bytes"
	"strconv"
)

// A message a file is written and read so often that encoding/json took a
// quarter of a worker's time. So what Encode writes is read by hand, too;
// whatever else comes is encoding/json's to judge.

// fileFields are the beginnings of a FileMessage's numbers, in order.
func fileFields() [5]string {
	return [...]string{`{"v":`, `,"transfer":`, `,"step":`, `,"file":`, `,"bytes":`}
}

// Encode gives the payload as JSON.
func (m FileMessage) Encode() []byte {
	b := make([]byte, 0, 96)
	numbers := [...]int64{int64(m.V), m.Transfer, int64(m.Step), m.File, m.Bytes}
	for i, field := range fileFields() {
		b = strconv.AppendInt(append(b, field...), numbers[i], 10)
	}
	return append(b, '}')
}

// scanFile reads what Encode writes; ok is false of everything else.
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

// scanNumber reads the number at the start of b, as JSON has it: without a sign,
// and zero first only of zero. Of one with more digits than surely fit it reads none.
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
