package handlers

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decodeStrictly puts a JSON value into dst, which must have a field for each member.
func decodeStrictly(value, dst any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode arguments: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(dst)
}

// argsError says for people what is wrong with arguments that dst does not take, argument
// by argument: its name, what it must be, and what it is.
func argsError(args, dst any, err error) error {
	given, ok := args.(map[string]any)
	names := argNames(dst)
	switch {
	case !ok:
		return fmt.Errorf("the arguments must be a mapping of names to values, not %s", shown(args))
	case names == nil && len(given) > 0 && takesNone(dst):
		return fmt.Errorf("there is no argument %q; there are none", slices.Min(slices.Collect(maps.Keys(given))))
	case names == nil:
		return fmt.Errorf("arguments: %w", errors.New(inWords(dst, "", args, false, err)))
	}
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
			wrong = append(wrong, fmt.Errorf("there is no argument %q; there are %s", name, strings.Join(names, ", ")))
			continue
		}
		into := reflect.New(reflect.TypeOf(dst).Elem()).Interface()
		if err := decodeStrictly(map[string]any{name: given[name]}, into); err != nil {
			takesList := decodeStrictly(map[string]any{name: []any{}}, into) == nil
			wrong = append(wrong, errors.New(inWords(dst, name, given[name], takesList, err)))
		}
	}
	if len(wrong) == 0 { // only together
		return fmt.Errorf("arguments: %w", err)
	}
	return errors.Join(wrong...)
}

// argNames are the names of the arguments that a pointer to a struct takes; nil when dst
// is none, or decodes itself.
func argNames(dst any) (names []string) {
	t := reflect.TypeOf(dst)
	if _, itself := dst.(json.Unmarshaler); itself || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t.Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && !f.Anonymous && name != "-" {
			names = append(names, cmp.Or(name, f.Name))
		}
	}
	return names
}

// inWords is an error of encoding/json about the value of an argument, without Go's names
// of types. takesList says that the argument is a list, of which an item may be wrong.
func inWords(dst any, name string, value any, takesList bool, err error) string {
	e, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok {
		return fmt.Sprintf("argument %s: %s", name, strings.TrimPrefix(err.Error(), "json: "))
	}
	of := "argument " + name
	for _, member := range strings.Split(e.Field, ".")[1:] {
		below, _ := value.(map[string]any)
		of, value = of+"."+member, below[member]
	}
	if members, ok := value.(map[string]any); ok && !takesMapping(e.Type) { // a mapping of names that the field does not tell
		for _, member := range slices.Sorted(maps.Keys(members)) {
			if decodeStrictly(members[member], reflect.New(e.Type).Interface()) != nil {
				if whole := wholeType(dst, name); whole != nil && whole.Kind() == reflect.Map {
					return fmt.Sprintf("%s.%s must be %s, not %s", of, member, wanted(e.Type), shown(members[member]))
				}
			}
		}
	}
	if items, ok := value.([]any); ok && (takesList || e.Value != "array") {
		for _, item := range items {
			into := reflect.New(e.Type).Interface()
			if decodeStrictly(item, into) != nil {
				return fmt.Sprintf("each item of %s must be %s, not %s", of, wanted(e.Type), shown(item))
			}
		}
	}
	return fmt.Sprintf("%s must be %s, not %s", of, wanted(e.Type), shown(value))
}

// takesNone reports whether dst is a pointer to a struct without fields.
func takesNone(dst any) bool {
	t := reflect.TypeOf(dst)
	return t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct && t.Elem().NumField() == 0
}

func takesMapping(t reflect.Type) bool { return t.Kind() == reflect.Map || t.Kind() == reflect.Struct }

// wholeType is the type of an argument of the struct to which dst points; nil when dst has no
// such argument.
func wholeType(dst any, name string) reflect.Type {
	t := reflect.TypeOf(dst)
	if argNames(dst) == nil {
		return nil
	}
	for _, f := range reflect.VisibleFields(t.Elem()) {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); strings.EqualFold(cmp.Or(tag, f.Name), name) {
			return f.Type
		}
	}
	return nil
}

// wanted says what a Go type takes.
func wanted(t reflect.Type) string {
	switch t.Kind() { //nolint:exhaustive // arguments are decoded into none of the other kinds
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return fmt.Sprintf("a whole number of %d bits", t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0, of %d bits", t.Bits())
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping of names to values"
	}
	return "something else"
}

// maxShown is how many characters of a text an error shows.
const maxShown = 60

// shown is a JSON value in an error.
func shown(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case string:
		if r := []rune(v); len(r) > maxShown {
			return strconv.Quote(string(r[:maxShown])) + "…"
		}
		return strconv.Quote(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "what cannot be shown"
	}
	return string(text)
}
