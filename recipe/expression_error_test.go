package recipe

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

// Errors of expressions use the words of the recipe language, not those of Go.
func TestExpressionErrorsNameNoGoTypes(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]string{
		`facts`:                       "expected true or false, but got mapping",
		`[1]`:                         "expected true or false, but got list",
		`mtime`:                       "expected true or false, but got time",
		`size == "string"`:            "invalid operation: == (mismatched types number and text) (column 6)",
		`name > 3`:                    "mismatched types text and number",
		`upper(1) == "int"`:           "cannot use number as argument (type text) to call upper",
		`size.int > 1`:                "type number has no field int",
		`99999999999999999999 > size`: `invalid integer literal: "99999999999999999999": value out of range`,
	} {
		_, err := compileCondition(when)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", when, err, want)
		}
	}
	e, err := compileCondition(`facts.a > 1`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.holds(variablesOf(&tasks.File{}, map[string]any{"a": "x"}))
	if err == nil || strings.Contains(err.Error(), "string") || !strings.Contains(err.Error(), "text") {
		t.Errorf("at run time: %v", err)
	}
}
