package web

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

const (
	maxShown  = 240 // runes shown of foreign payloads
	maxRanges = 80  // runes shown of a batch's file numbers
)

// describePayload describes a task's payload for the monitor: Baler's messages by
// their fields, all others escaped and shortened.
func describePayload(kind string, payload []byte) string {
	switch kind {
	case tasks.TypeBatch:
		if m, err := tasks.DecodeBatch(payload); err == nil {
			return describeBatch(m)
		}
	case tasks.TypeFile:
		if m, err := tasks.DecodeFile(payload); err == nil {
			return fmt.Sprintf("file %d · transfer %d · step %d · %d bytes", m.File, m.Transfer, m.Step, m.Bytes)
		}
	}
	// A payload that does not decode is shown as it is.
	return escape(payload, maxShown)
}

func describeBatch(m tasks.BatchMessage) string {
	what := "files " + escape([]byte(m.Files), maxRanges)
	if ranges, err := tasks.ParseRanges(m.Files); err == nil {
		what = fmt.Sprintf("%s (%s)", quantity(int64(ranges.Len()), "file"), escape([]byte(m.Files), maxRanges))
	}
	return fmt.Sprintf("batch %d · transfer %d · step %d · attempt %d · %s", m.Batch, m.Transfer, m.Step, m.Attempt, what)
}

// describeResult shows the result that a handler has written to an asynq task.
func describeResult(_ string, result []byte) string { return escape(result, maxShown) }

// escape returns up to limit characters of b, with unprintable ones as Go escapes,
// and says how many bytes it leaves out.
func escape(b []byte, limit int) string {
	var out strings.Builder
	for shown := 0; len(b) > 0; shown++ {
		if shown == limit {
			fmt.Fprintf(&out, "… (%d more bytes)", len(b))
			break
		}
		r, size := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, b[0])
		case unicode.IsPrint(r):
			out.WriteRune(r)
		default:
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		b = b[size:]
	}
	return out.String()
}
