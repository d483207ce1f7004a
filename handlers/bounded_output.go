package handlers

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// DefaultMaxOutput is how many bytes of each of a job's streams are kept.
const DefaultMaxOutput = tasks.DefaultMaxOutput

// minOutput is the smallest limit, in bytes: it leaves room for text beside the marker.
const minOutput = 256

// maxMarker is the length of the longest marker, in bytes.
const maxMarker = len("\n[… 9223372036854775807 bytes left out …]\n")

// boundedOutput keeps the beginning and the end of a stream within a limit, as valid UTF-8
// without NUL. Its text does not depend on how the stream was divided into writes.
// It allocates a small multiple of the limit, as needed.
type boundedOutput struct {
	limit   int    // in bytes
	head    []byte // the first limit/2 bytes
	tail    []byte // the last bytes after head; up to twice as many as are kept in the end
	total   int64  // clean bytes written
	last    byte   // the last of them
	pending []byte // the beginning of a character, not counted yet
}

func newOutput(limit int) *boundedOutput {
	if limit <= 0 {
		limit = DefaultMaxOutput
	}
	return &boundedOutput{limit: max(limit, minOutput)}
}

// write appends p; the caller may reuse p afterwards.
func (o *boundedOutput) write(p []byte) {
	for len(o.pending) > 0 && len(p) > 0 {
		o.pending, p = append(o.pending, p[0]), p[1:]
		n := len(o.pending) - unfinished(o.pending)
		o.clean(o.pending[:n])
		o.pending = o.pending[n:]
	}
	// Cleaning can triple the size, so it is done in pieces.
	for len(p) > o.limit {
		n := o.limit - unfinished(p[:o.limit])
		o.clean(p[:n])
		p = p[n:]
	}
	n := len(p) - unfinished(p)
	o.clean(p[:n])
	o.pending = append(o.pending, p[n:]...)
}

func (o *boundedOutput) clean(p []byte) {
	if !utf8.Valid(p) || bytes.IndexByte(p, 0) >= 0 {
		p = appendClean(make([]byte, 0, 2*len(p)), p)
	}
	o.keep(p)
}

func (o *boundedOutput) keep(p []byte) {
	if len(p) == 0 {
		return
	}
	o.total += int64(len(p))
	o.last = p[len(p)-1]
	if room := o.limit/2 - len(o.head); room > 0 {
		n := min(room, len(p))
		o.head = append(o.head, p[:n]...)
		p = p[n:]
	}
	kept := o.limit - o.limit/2
	if len(p) >= kept {
		o.tail = append(o.tail[:0], p[len(p)-kept:]...)
		return
	}
	if len(o.tail)+len(p) > 2*kept {
		o.tail = append(o.tail[:0], o.tail[len(o.tail)-kept:]...)
	}
	o.tail = append(o.tail, p...)
}

// midLine reports whether the stream does not end with a line end.
func (o *boundedOutput) midLine() bool {
	return o != nil && (len(o.pending) > 0 || o.total > 0 && o.last != '\n')
}

// text returns what is kept, and whether bytes were left out. The text is at most as
// long as the limit, including the marker that says how many bytes were left out.
// More may be written afterwards.
func (o *boundedOutput) text() (text string, truncated bool) {
	end := *o
	end.head, end.tail = bytes.Clone(o.head), bytes.Clone(o.tail)
	if len(o.pending) > 0 {
		end.keep(appendClean(nil, o.pending))
	}
	if end.total <= int64(end.limit) {
		return string(end.head) + string(end.tail), false
	}
	head := wholeHead(end.head[:(end.limit-maxMarker)/2])
	tail := wholeTail(end.tail[len(end.tail)-(end.limit-maxMarker)/2:])
	left := end.total - int64(len(head)) - int64(len(tail))
	return fmt.Sprintf("%s\n[… %d bytes left out …]\n%s", head, left, tail), true
}

// textOrNone is text, or nothing for a stream that was never written to.
func (o *boundedOutput) textOrNone() (string, bool) {
	if o == nil {
		return "", false
	}
	return o.text()
}

// wholeHead drops an incomplete character at the end of p.
func wholeHead(p []byte) []byte { return p[:len(p)-unfinished(p)] }

// wholeTail drops an incomplete character at the start of p.
func wholeTail(p []byte) []byte {
	for len(p) > 0 && !utf8.RuneStart(p[0]) {
		p = p[1:]
	}
	return p
}
