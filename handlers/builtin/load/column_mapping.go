package load

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/tableload"
)

// Mapping says which value of a line goes into a column.
type Mapping struct {
	Column string
	Path   []string             // names from the document's root down, items of arrays by number; empty: the whole document
	Kind   tableload.ColumnType // empty: the table's
}

// ErrField is wrapped by every error of ParseMapping.
var ErrField = errors.New("not a mapping")

// ParseMapping reads "column=path:type". The names of a path are separated by dots; a
// backslash before a dot, a colon or a backslash makes it part of a name. Without "=path"
// the column gets the top-level member of its name, and without ":type" it has the type
// of the table's column.
func ParseMapping(s string) (Mapping, error) {
	column, path, given := strings.Cut(s, "=")
	parts, kind := splitPath(path)
	if !given {
		parts, kind = splitPath(column)
		if len(parts) != 1 {
			return Mapping{}, fmt.Errorf("%w: %q: write column=path, column=path:type, or only the name of a column", ErrField, s)
		}
		column = parts[0]
	}
	if err := tableload.CheckName(column); err != nil {
		return Mapping{}, fmt.Errorf("%w: %q: %w", ErrField, s, err)
	}
	if slices.Contains(parts, "") {
		return Mapping{}, fmt.Errorf("%w: %q: a name in the path is empty", ErrField, s)
	}
	f := Mapping{Column: column, Path: parts, Kind: tableload.ColumnType(kind)}
	if kind != "" && !slices.Contains(tableload.ColumnTypes(), f.Kind) {
		return Mapping{}, fmt.Errorf("%w: %q: unknown type %q; the types are %s", ErrField, s, kind, kindNames())
	}
	return f, nil
}

func kindNames() string {
	var names []string
	for _, k := range tableload.ColumnTypes() {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// splitPath splits "a.b:type" into its names and the type.
func splitPath(s string) (parts []string, kind string) {
	var part strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && strings.IndexByte(`.:\`, s[i+1]) >= 0:
			i++
			part.WriteByte(s[i])
		case c == '.':
			parts = append(parts, part.String())
			part.Reset()
		case c == ':':
			return append(parts, part.String()), s[i+1:]
		default:
			part.WriteByte(c)
		}
	}
	return append(parts, part.String()), ""
}

// String returns the text that ParseMapping reads.
func (f Mapping) String() string {
	escaped := make([]string, len(f.Path))
	for i, name := range f.Path {
		escaped[i] = strings.NewReplacer(`\`, `\\`, ".", `\.`, ":", `\:`).Replace(name)
	}
	s := f.Column + "=" + strings.Join(escaped, ".")
	if f.Kind != "" {
		s += ":" + string(f.Kind)
	}
	return s
}
