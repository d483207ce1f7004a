package sanitizenames

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestSanitize(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"photo_(1).JPG": "photo_(1).JPG", ".hidden": ".hidden",
		"Übung  1.txt": `Ubung_1-[0-9a-f]{8}\.txt`, "a b": "a_b-[0-9a-f]{8}", "日本.txt": `_-[0-9a-f]{8}\.txt`, "a\nb": "a_b-[0-9a-f]{8}",
		"\xff\xfe.bin": `_-[0-9a-f]{8}\.bin`, "-rf": "_-rf-[0-9a-f]{8}", "con": "con-[0-9a-f]{8}", "LPT1.txt": `LPT1-[0-9a-f]{8}\.txt`,
		"x.": "x-[0-9a-f]{8}", "...": "_-[0-9a-f]{8}", "ﬁle.txt ": `file-[0-9a-f]{8}\.txt`, strings.Repeat("n", 255): "n{170}-[0-9a-f]{8}",
	} {
		pattern := "^" + want + "$"
		if isSafe(name) {
			pattern = "^" + regexp.QuoteMeta(want) + "$"
		}
		if got := Sanitize(name); !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%q becomes %q, want %s", name, got, want)
		}
	}
}

// Safe names are safe, stay as they are, and never become the same.
func TestSanitizeProperties(t *testing.T) {
	t.Parallel()
	safe := regexp.MustCompile(`^[A-Za-z0-9._()-]{1,200}$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-cA ._\-]{1,6}`), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		x, y := Sanitize(a), Sanitize(b)
		if !safe.MatchString(x) || x[0] == '-' || Sanitize(x) != x {
			t.Fatalf("%q becomes %q, and that %q", a, x, Sanitize(x))
		}
		if a != b && x == y {
			t.Fatalf("%q and %q become %q", a, b, x)
		}
	})
}

func TestSanitizeNames(t *testing.T) {
	t.Parallel()
	files := map[string]string{"sub é/a b.txt": "alpha", "sub é/a_b.txt": "beta", "plain/c.txt": "c", "bad\xff": "d"}
	source, to := t.TempDir(), t.TempDir()
	var paths []string
	for name, content := range files {
		testkit.WriteFile(t, filepath.Join(source, name), content)
		paths = append(paths, filepath.Join(source, name))
	}
	for _, args := range []map[string]any{nil, {"to": to}, {"to": to}} {
		results, err := handlertest.DryRun{
			Args: args, Sources: []string{source}, Roots: []string{source}, Outputs: []string{to},
		}.Run(t.Context(), New(), paths...)
		testkit.Must(t, err)
		for i, r := range results {
			name := strings.TrimPrefix(paths[i], source+"/")
			var facts struct {
				OriginalPath string `json:"original_path"`
				SafePath     string `json:"safe_path"`
				Changed      bool   `json:"name_changed"`
				CopiedTo     string `json:"copied_to"`
			}
			testkit.Must(t, json.Unmarshal(r.Facts, &facts))
			if r.Outcome != tasks.OutcomeSucceeded || facts.SafePath != SanitizePath(name) || facts.Changed != (name != "plain/c.txt") ||
				facts.OriginalPath != strings.Replace(name, "\xff", "%FF", 1) {
				t.Errorf("%q: %s %s, %s", name, r.Outcome, r.Error, r.Facts)
			}
			if args != nil {
				if content, err := os.ReadFile(filepath.Join(to, facts.SafePath)); err != nil || string(content) != files[name] ||
					facts.CopiedTo != filepath.Join(to, facts.SafePath) {
					t.Errorf("%q is copied to %q: %q, %v", name, facts.CopiedTo, content, err)
				}
			}
			if _, err := os.Stat(paths[i]); err != nil {
				t.Errorf("the file itself: %v", err)
			}
		}
	}
	r := handlertest.Run(t, New(), map[string]string{"a": ""}, handlertest.Args(map[string]any{"replace": true}))
	if r["a"].Code != handlers.CodeBadArgs {
		t.Errorf("%+v", r["a"])
	}
}
