package load

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/tableload"
)

func TestParseMapping(t *testing.T) {
	for s, want := range map[string]Mapping{
		"id":                 {"id", []string{"id"}, ""},
		"id:int":             {"id", []string{"id"}, tableload.ColumnInt},
		"who=user.name":      {"who", []string{"user", "name"}, ""},
		"at=times.0:time":    {"at", []string{"times", "0"}, tableload.ColumnTime},
		`x=a\.b.c\:d\\:json`: {"x", []string{"a.b", `c:d\`}, tableload.ColumnJSON},
		`x=a\b`:              {"x", []string{`a\b`}, ""},
		"x=a=b":              {"x", []string{"a=b"}, ""},
		"größe=größe":        {"größe", []string{"größe"}, ""},
	} {
		got, err := ParseMapping(s)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{
		"":                             "is not a name",
		"=a":                           "is not a name",
		"a=":                           "is empty",
		"a=b..c":                       "is empty",
		"a.b":                          "only the name of a column",
		"a=b:number":                   `unknown type "number"`,
		"\ta=b":                        "white space",
		strings.Repeat("x", 65) + "=a": "longer than 64",
	} {
		if _, err := ParseMapping(s); !errors.Is(err, ErrField) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// The text of a mapping parses into the same mapping.
func FuzzField(f *testing.F) {
	for _, seed := range []string{"id", "a=b.c:int", `a=b\.c\:\\`, "a=b=c", `a=\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		field, err := ParseMapping(s)
		if err != nil {
			return
		}
		if strings.Contains(field.Column, "=") {
			t.Errorf("%q: column %q", s, field.Column)
		}
		again, err := ParseMapping(field.String())
		if err != nil || !reflect.DeepEqual(again, field) {
			t.Errorf("%q became %q, which reads as %+v, %v", s, field.String(), again, err)
		}
	})
}
