package recipe

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/file"
)

// exprError is an error of the expression library on one line and without Go's names of
// types. The library's own text has several lines.
type exprError struct {
	words string
	err   error
}

func (e *exprError) Error() string { return e.words }

func (e *exprError) Unwrap() error { return e.err }

func oneLine(err error) error {
	if fe, ok := errors.AsType[*file.Error](err); ok {
		return &exprError{fmt.Sprintf("%s (column %d)", strings.TrimSpace(plainTypes(fe.Message)), fe.Column+1), fe}
	}
	return &exprError{plainTypes(err.Error()), err}
}

// goWords matches the words of Go in a message of the expression library: names of types,
// and of functions that parse numbers. Text in quotes and names that the recipe's author
// chose are matched first, because they stay.
var goWords = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|(?:name|field|method) \S+|strconv\.\w+: parsing |` +
	`map\[string\](?:interface \{\}|any)|\[\](?:interface \{\}|any|string)|interface \{\}|time\.(?:Time|Duration)|` +
	`\b(?:string|bool|u?int(?:8|16|32|64)?|float(?:32|64))\b|<nil>`)

// plainTypes replaces the words of Go in a message by those of the recipe language.
func plainTypes(message string) string {
	return goWords.ReplaceAllStringFunc(message, func(word string) string {
		switch {
		case word[0] == '"', strings.HasPrefix(word, "name "), strings.HasPrefix(word, "field "), strings.HasPrefix(word, "method "):
			return word
		case strings.HasPrefix(word, "strconv."):
			return ""
		case strings.HasPrefix(word, "map["):
			return "mapping"
		case strings.HasPrefix(word, "[]"):
			return "list"
		case word == "interface {}":
			return "value"
		case word == "time.Time":
			return "time"
		case word == "time.Duration":
			return "duration"
		case word == "string":
			return "text"
		case word == "bool":
			return "true or false"
		case word == "<nil>":
			return "nothing"
		}
		return "number"
	})
}
