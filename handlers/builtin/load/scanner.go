package load

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// form is the kind of a JSON value.
type form byte

// The forms. The zero value means that there is no value.
const (
	missing form = iota
	null
	boolean
	number
	text
	object
	array
)

// value is a JSON value as it is written in its line.
type value struct {
	form form
	raw  []byte
}

// maxDepth limits how deep objects and arrays may nest.
const maxDepth = 500

var errDepth = fmt.Errorf("objects and arrays nest more than %d deep", maxDepth)

// scanner reads a JSON text (RFC 8259) once, checks all of it, and records the values at
// the wanted places without copying them.
type scanner struct {
	line  []byte
	at    int
	found []value // by the number of the path
	key   []byte  // buffer for the name of a member without its escapes

	// unknown is called with the name of each member of the document that no column
	// wants. It may return a place for the member. It may be nil.
	unknown func(name []byte) *place
	root    *place
}

// scan fills found with the values of a line. When an object has several members of
// one name, the last one counts.
func (s *scanner) scan(line []byte, wanted *place) error {
	clear(s.found)
	s.line, s.at, s.root = line, 0, wanted
	if !utf8.Valid(line) {
		return errors.New("the line is not valid UTF-8")
	}
	s.blanks()
	if s.at == len(line) {
		return errors.New("the line is empty")
	}
	if err := s.value(wanted, maxDepth); err != nil {
		return err
	}
	s.blanks()
	if s.at < len(line) {
		return s.wrong("more text follows the JSON value")
	}
	return nil
}

func (s *scanner) wrong(what string) error {
	return fmt.Errorf("not JSON at byte %d of the line: %s", s.at+1, what)
}

func (s *scanner) blanks() {
	for s.at < len(s.line) {
		switch s.line[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end; no JSON value begins with 0.
func (s *scanner) peek() byte {
	if s.at < len(s.line) {
		return s.line[s.at]
	}
	return 0
}

// value reads any value; p may be nil.
func (s *scanner) value(p *place, depth int) error {
	from := s.at
	var f form
	var err error
	switch c := s.peek(); c {
	case '{':
		f, err = object, s.object(p, depth)
	case '[':
		f, err = array, s.array(p, depth)
	case '"':
		f, err = text, s.string()
	case 't':
		f, err = boolean, s.word("true")
	case 'f':
		f, err = boolean, s.word("false")
	case 'n':
		f, err = null, s.word("null")
	default:
		f, err = number, s.number()
	}
	if err == nil && p != nil {
		for _, i := range p.wanted {
			s.found[i] = value{f, s.line[from:s.at]}
		}
	}
	return err
}

func (s *scanner) word(w string) error {
	if !bytes.HasPrefix(s.line[s.at:], []byte(w)) {
		return s.wrong("neither true, false nor null")
	}
	s.at += len(w)
	return nil
}

func (s *scanner) object(p *place, depth int) error {
	if depth == 0 {
		return errDepth
	}
	s.at++
	s.blanks()
	if s.peek() == '}' {
		s.at++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.wrong("a member's name must follow")
		}
		from := s.at
		if err := s.string(); err != nil {
			return err
		}
		below := s.member(p, s.line[from+1:s.at-1])
		s.blanks()
		if s.peek() != ':' {
			return s.wrong("a colon must follow a member's name")
		}
		s.at++
		s.blanks()
		if err := s.value(below, depth-1); err != nil {
			return err
		}
		more, err := s.more('}')
		if err != nil || !more {
			return err
		}
	}
}

// member is the place of a member, or nil when no column takes a value there.
func (s *scanner) member(p *place, name []byte) *place {
	told := s.unknown != nil && p != nil && p == s.root
	if p == nil || len(p.below) == 0 && !told {
		return nil
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		var err error
		if s.key, err = unescape(s.key[:0], name); err != nil {
			return nil // a path never has half a surrogate pair
		}
		name = s.key
	}
	below := p.below[string(name)]
	if below == nil && told {
		return s.unknown(name)
	}
	return below
}

func (s *scanner) array(p *place, depth int) error {
	if depth == 0 {
		return errDepth
	}
	s.at++
	s.blanks()
	if s.peek() == ']' {
		s.at++
		return nil
	}
	for i := 0; ; i++ {
		if err := s.value(p.item(i), depth-1); err != nil {
			return err
		}
		more, err := s.more(']')
		if err != nil || !more {
			return err
		}
	}
}

// more reads the comma between two members or items, or the end of them.
func (s *scanner) more(end byte) (bool, error) {
	s.blanks()
	switch s.peek() {
	case ',':
		s.at++
		s.blanks()
		return true, nil
	case end:
		s.at++
		return false, nil
	}
	return false, s.wrong(fmt.Sprintf("a comma or %c must follow", end))
}

// string reads a string from quote to quote.
func (s *scanner) string() error {
	line, i := s.line, s.at+1
	for i < len(line) {
		switch c := line[i]; {
		case c == '"':
			s.at = i + 1
			return nil
		case c == '\\':
			n := escapeLen(line[i:])
			if n == 0 {
				s.at = i
				return s.wrong("invalid escape")
			}
			i += n
		case c < ' ':
			s.at = i
			return s.wrong("a control character in a string")
		default:
			i++
		}
	}
	s.at = i
	return s.wrong("the string has no end")
}

// number reads a number by its grammar (RFC 8259, section 6).
func (s *scanner) number() error {
	if s.peek() == '-' {
		s.at++
	}
	switch {
	case s.peek() == '0':
		s.at++
	case !s.digits():
		return s.wrong("a value is missing")
	}
	if s.peek() == '.' {
		s.at++
		if !s.digits() {
			return s.wrong("a digit must follow the point of a number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if c := s.peek(); c == '+' || c == '-' {
			s.at++
		}
		if !s.digits() {
			return s.wrong("a digit must follow in the exponent of a number")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	from := s.at
	for s.at < len(s.line) && isDigit(s.line[s.at]) {
		s.at++
	}
	return s.at > from
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
