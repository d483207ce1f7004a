package cli

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

// Names cannot steer a terminal, and stay as they are in a file.
func TestResultCSVOnATerminal(t *testing.T) {
	t.Parallel()
	name := "a\u202etxt\u009b31m\x1b]0;x\x07\nb"
	for escape, want := range map[bool]string{
		true:  "path\n" + `a\u202etxt\u009b31m\x1b]0;x\a\nb` + "\n",
		false: "path\n\"" + name + "\"\n",
	} {
		var out strings.Builder
		w, err := newResultCSV(&out, parseColumns([]string{"path"}), escape)
		if err == nil {
			err = w.write(&tasks.ResultLine{Path: name})
		}
		if err == nil {
			err = w.end()
		}
		if err != nil || out.String() != want {
			t.Errorf("escape %v: %v, got %q, want %q", escape, err, out.String(), want)
		}
	}
}
