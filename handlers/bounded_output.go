package handlers

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// DefaultMaxOutput is how many bytes of each of a job's streams are kept.
const DefaultMaxOutput = 64 << 10

// minCapture leaves room for some text beside the marker.
const minCapture = 256

// maxMarker is the longest that a marker can get.
const maxMarker = len("\n[… 9223372036854775807 bytes left out …]\n")

// capture keeps the head and the tail of a stream within a limit, as valid
// UTF-8 without NUL. Its text does not depend on how the stream was cut into
// writes. Memory is a small multiple of the limit, taken only as it is needed.
type capture struct {
	limit   int
	head    []byte // the first limit/2 bytes
	tail    []byte // what follows; up to twice what is kept of it
	total   int64  // clean bytes seen
	last    byte   // of those
	pending []byte // the beginning of a character, not yet counted
}

func newCapture(limit int) *capture {
	if limit <= 0 {
		limit = DefaultMaxOutput
	}
	return &capture{limit: max(limit, minCapture)}
}

// write takes p in; p may be used again afterwards.
func (c *capture) write(p []byte) {
	for len(c.pending) > 0 && len(p) > 0 {
		c.pending, p = append(c.pending, p[0]), p[1:]
		n := len(c.pending) - unfinished(c.pending)
		c.clean(c.pending[:n])
		c.pending = c.pending[n:]
	}
	// Cleaning can treble the size, so it goes piece by piece.
	for len(p) > c.limit {
		n := c.limit - unfinished(p[:c.limit])
		c.clean(p[:n])
		p = p[n:]
	}
	n := len(p) - unfinished(p)
	c.clean(p[:n])
	c.pending = append(c.pending, p[n:]...)
}

func (c *capture) clean(p []byte) {
	if !utf8.Valid(p) || bytes.IndexByte(p, 0) >= 0 {
		p = appendClean(make([]byte, 0, 2*len(p)), p)
	}
	c.keep(p)
}

func (c *capture) keep(p []byte) {
	if len(p) == 0 {
		return
	}
	c.total += int64(len(p))
	c.last = p[len(p)-1]
	if room := c.limit/2 - len(c.head); room > 0 {
		n := min(room, len(p))
		c.head = append(c.head, p[:n]...)
		p = p[n:]
	}
	kept := c.limit - c.limit/2
	if len(p) >= kept {
		c.tail = append(c.tail[:0], p[len(p)-kept:]...)
		return
	}
	if len(c.tail)+len(p) > 2*kept {
		c.tail = append(c.tail[:0], c.tail[len(c.tail)-kept:]...)
	}
	c.tail = append(c.tail, p...)
}

// midLine reports whether the stream ends within a line.
func (c *capture) midLine() bool {
	return c != nil && (len(c.pending) > 0 || c.total > 0 && c.last != '\n')
}

// text is what is kept, at most the limit with the marker that tells how many
// bytes were left out, and whether any were. The stream may go on afterwards.
func (c *capture) text() (text string, truncated bool) {
	end := *c
	end.head, end.tail = bytes.Clone(c.head), bytes.Clone(c.tail)
	if len(c.pending) > 0 {
		end.keep(appendClean(nil, c.pending))
	}
	if end.total <= int64(end.limit) {
		return string(end.head) + string(end.tail), false
	}
	head := wholeHead(end.head[:(end.limit-maxMarker)/2])
	tail := wholeTail(end.tail[len(end.tail)-(end.limit-maxMarker)/2:])
	left := end.total - int64(len(head)) - int64(len(tail))
	return fmt.Sprintf("%s\n[… %d bytes left out …]\n%s", head, left, tail), true
}

// textOrNone is text for a stream that may never have been written to.
func (c *capture) textOrNone() (string, bool) {
	if c == nil {
		return "", false
	}
	return c.text()
}

// wholeHead drops a character that the end of p cuts in two.
func wholeHead(p []byte) []byte { return p[:len(p)-unfinished(p)] }

// wholeTail drops the rest of a character that the start of p cuts in two.
func wholeTail(p []byte) []byte {
	for len(p) > 0 && !utf8.RuneStart(p[0]) {
		p = p[1:]
	}
	return p
}
