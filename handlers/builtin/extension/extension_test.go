package extension

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
)

func TestExtension(t *testing.T) {
	for _, c := range []struct {
		name    string
		facts   map[string]any
		want    string
		records string
	}{
		{"a.PNG", map[string]any{"puid": "fmt/11", "format": "PNG"}, "succeeded", `{"extension":".png","extension_matches":true}`},
		{
			"a.txt", map[string]any{"puid": "fmt/11", "format": "Portable Network Graphics", "format_warning": "extension mismatch; looked at 1 byte"},
			"warning extension-mismatch the extension .txt does not belong to Portable Network Graphics (fmt/11)", `{"extension":".txt","extension_matches":false}`,
		},
		{"a", map[string]any{"puid": "fmt/11", "format": "PNG", "format_warning": "extension mismatch"}, "warning extension-mismatch the extension (none) does not belong to PNG (fmt/11)", `{"extension":"","extension_matches":false}`},
		{"a.x", map[string]any{"puid": "UNKNOWN", "format_warning": "no match"}, "skipped not-identified the format is unknown; run identify in an earlier step", ""},
		{"a.x", nil, "skipped not-identified the format is unknown; run identify in an earlier step", ""},
	} {
		path := testkit.WriteFileIn(t, t.TempDir(), c.name, "x")
		r, err := handlertest.DryRun{Facts: c.facts}.Run(t.Context(), New(), path)
		testkit.Must(t, err)
		if got := strings.TrimSpace(string(r[0].Outcome) + " " + r[0].Code + " " + r[0].Error); got != c.want || string(r[0].Facts) != c.records {
			t.Errorf("%s: %s %s", c.name, got, r[0].Facts)
		}
	}
}
