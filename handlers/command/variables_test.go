package command

import (
	"encoding/json"
	"strings"
	"testing"
)

// The words of a command may be numbers; a number is no environment variable.
func TestVariablesAreText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`5`:                 `such as [LANG, TMPDIR=/scratch]`,
		`{"LANG":"C"}`:      `such as [LANG, TMPDIR=/scratch]`,
		`["LANG",5]`:        `item 2 is 5, not text; write NAME or NAME=value`,
		`[true]`:            `item 1 is true, not text`,
		`[["A=1"]]`:         `item 1 is ["A=1"], not text`,
		`[{"A":"1"}]`:       `item 1 is {"A":"1"}, not text`,
		`[null]`:            `item 1 is null, not text`,
		`["A=1", "LC_ALL"]`: "",
	} {
		var v Variables
		err := json.Unmarshal([]byte(text), &v)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
