// Package xmlstream writes XML element by element, in bounded memory.
package xmlstream

import (
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/visible"
)

// Writer writes one document. It keeps the first error, and writes nothing after it.
type Writer struct {
	w    io.Writer
	open []string
	err  error
}

// New begins a document.
func New(w io.Writer) *Writer {
	x := &Writer{w: w}
	x.raw(xml.Header[:len(xml.Header)-1])
	return x
}

// Err is the first error.
func (x *Writer) Err() error { return x.err }

// Start begins an element. Attributes are names and values in turn; those without a value
// are left out.
func (x *Writer) Start(name string, attributes ...string) {
	x.indent()
	x.tag(name, attributes)
	x.raw(">")
	x.open = append(x.open, name)
}

// End ends the innermost element.
func (x *Writer) End() {
	last := len(x.open) - 1
	name := x.open[last]
	x.open = x.open[:last]
	x.indent()
	x.raw("</" + name + ">")
	if last == 0 {
		x.raw("\n")
	}
}

// Text writes an element that contains text.
func (x *Writer) Text(name, text string, attributes ...string) {
	x.indent()
	x.tag(name, attributes)
	x.raw(">")
	x.escape(text)
	x.raw("</" + name + ">")
}

// Empty writes an element without content.
func (x *Writer) Empty(name string, attributes ...string) {
	x.indent()
	x.tag(name, attributes)
	x.raw("/>")
}

func (x *Writer) tag(name string, attributes []string) {
	x.raw("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] == "" {
			continue
		}
		x.raw(" " + attributes[i] + `="`)
		x.escape(attributes[i+1])
		x.raw(`"`)
	}
}

func (x *Writer) indent() { x.raw("\n" + strings.Repeat(" ", len(x.open))) }

func (x *Writer) escape(text string) {
	if x.err == nil {
		x.err = xml.EscapeText(x.w, []byte(Valid(text)))
	}
}

func (x *Writer) raw(text string) {
	if x.err == nil {
		_, x.err = io.WriteString(x.w, text)
	}
}

// Valid is text that XML 1.0 can contain: a character that it cannot, and a byte that is
// not UTF-8, becomes an escape such as \x1b.
func Valid(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, forbidden) {
		return text
	}
	var out strings.Builder
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		if part := text[:size]; forbidden(r) || r == utf8.RuneError && size == 1 {
			if escaped := visible.Text(part); escaped != part {
				out.WriteString(escaped)
			} else {
				out.WriteString(`\u` + strconv.FormatInt(int64(r), 16))
			}
		} else {
			out.WriteString(part)
		}
		text = text[size:]
	}
	return out.String()
}

// forbidden characters are in no document (XML 1.0, production 2).
func forbidden(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return false
	case r < 0x20 || r == 0xFFFE || r == 0xFFFF:
		return true
	}
	return false
}
