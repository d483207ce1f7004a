package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxFacts is how many bytes the facts of one job may take as a JSON object.
const MaxFacts = 64 << 10

// ErrFacts is wrapped by every error of SetFact but ErrDone.
var ErrFacts = errors.New("not a fact")

// maxFactName is how long a fact's name may be.
const maxFactName = 64

// facts are the facts of a job, in the order in which they were first set. There are
// few, so a list is faster than a map. The zero value is empty.
type facts struct {
	list []fact
	size int // of the encoded object, without the outer brackets
}

type fact struct {
	name string
	text json.RawMessage
}

func (fs *facts) set(name string, value any) error {
	if !validFactName(name) {
		return fmt.Errorf("%w: a name is a letter, then up to 63 letters, digits, dots, dashes or underscores", ErrFacts)
	}
	text, err := encodeFact(value)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFacts, err)
	}
	at := fs.find(name)
	size := fs.size + len(text)
	if at < 0 {
		size += len(name) + len(`"":,`)
	} else {
		size -= len(fs.list[at].text)
	}
	if size+len("{}") > MaxFacts {
		return fmt.Errorf("%w: with its %d bytes the job's facts would take more than %d", ErrFacts, len(text), MaxFacts)
	}
	fs.size = size
	if at < 0 {
		fs.list = append(fs.list, fact{name, text})
		return nil
	}
	fs.list[at].text = text
	return nil
}

// encodeFact is json.Marshal. Most facts are short texts and numbers, which need no
// reflection.
func encodeFact(value any) (json.RawMessage, error) {
	switch v := value.(type) {
	case string:
		if isPlain(v) {
			return append(append(append(make(json.RawMessage, 0, len(v)+len(`""`)), '"'), v...), '"'), nil
		}
	case int64:
		return strconv.AppendInt(nil, v, 10), nil
	}
	return json.Marshal(value)
}

// isPlain reports whether encoding/json writes a text as it is, between quotes.
func isPlain(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c >= utf8.RuneSelf:
			return false
		case c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' || c == 0x7f:
			return false
		}
	}
	return true
}

// validFactName keeps names usable in conditions, as columns and in URLs.
func validFactName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		other := '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return name != "" && len(name) <= maxFactName
}

func (fs *facts) get(name string) (any, bool) {
	at := fs.find(name)
	if at < 0 {
		return nil, false
	}
	var v any
	if err := json.Unmarshal(fs.list[at].text, &v); err != nil {
		return nil, false // cannot be: set marshalled it
	}
	return v, true
}

func (fs *facts) find(name string) int {
	for i := range fs.list {
		if fs.list[i].name == name {
			return i
		}
	}
	return -1
}

// encode gives the JSON object, nil when there are no facts.
func (fs *facts) encode() json.RawMessage {
	if len(fs.list) == 0 {
		return nil
	}
	object := make([]byte, 0, fs.size+len("{}"))
	for i := range fs.list {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		object = append(object, sep, '"')
		object = append(object, fs.list[i].name...)
		object = append(object, '"', ':')
		object = append(object, fs.list[i].text...)
	}
	return append(object, '}')
}
