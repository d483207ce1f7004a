package scan_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

var selectionTree = []string{
	"a.jpg", "B.JPG", "a.tmp", "keep.tmp", "photos/1.jpg", "photos/raw/1.nef", "photos/raw/.hidden", "build/out.o",
	"src/build/out.o", "src/main.go", "src/deep/er/main.go", "{x}.txt", "x.txt", "[a].txt", "#note", "!bang", "end ", "docs/a/b/c.md",
}

// selected scans the tree and returns what is selected, relative to it.
func selected(t *testing.T, root string, s tasks.Selection) []string {
	t.Helper()
	selector, err := scan.NewSelector(s)
	testkit.Must(t, err)
	paths := []string{}
	_, err = scan.Scan(t.Context(), []string{root}, scan.Options{Select: selector}, func(f tasks.File) error {
		rel, err := filepath.Rel(root, f.Path)
		paths = append(paths, rel)
		return err
	})
	testkit.Must(t, err)
	return paths
}

func writeSelectionTree(t *testing.T) string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	for _, name := range selectionTree {
		path := filepath.Join(root, name)
		testkit.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		testkit.Must(t, os.WriteFile(path, []byte(name), 0o600))
	}
	return root
}

func TestIncludeSelectsFilesAndFolders(t *testing.T) {
	root := writeSelectionTree(t)
	for _, c := range []struct {
		s    tasks.Selection
		want []string
	}{
		{tasks.Selection{Include: []string{"*.jpg"}}, []string{"a.jpg", "photos/1.jpg"}},
		{tasks.Selection{Include: []string{"*.jpg"}, IgnoreCase: true}, []string{"B.JPG", "a.jpg", "photos/1.jpg"}},
		{tasks.Selection{Include: []string{"/*.jpg"}}, []string{"a.jpg"}},
		{tasks.Selection{Include: []string{"raw/"}}, []string{"photos/raw/.hidden", "photos/raw/1.nef"}},
		{tasks.Selection{Include: []string{"photos"}, Exclude: []string{".*"}}, []string{"photos/1.jpg", "photos/raw/1.nef"}},
		{tasks.Selection{Include: []string{"docs/**"}}, []string{"docs/a/b/c.md"}},
		{tasks.Selection{Include: []string{"nothing"}}, []string{}},
		{tasks.Selection{MinSize: 16}, []string{"photos/raw/.hidden", "photos/raw/1.nef", "src/deep/er/main.go"}},
		{tasks.Selection{MaxSize: 5}, []string{"!bang", "#note", "B.JPG", "a.jpg", "a.tmp", "end ", "x.txt"}},
		{tasks.Selection{NewerThan: time.Now().Add(time.Hour)}, []string{}},
	} {
		if got := selected(t, root, c.s); !slices.Equal(got, c.want) {
			t.Errorf("%s selects %q, want %q", c.s, got, c.want)
		}
	}
}

// The reference for the syntax of patterns is git itself.
func TestExcludeLeavesOutWhatGitIgnores(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed: it is the reference for the syntax of patterns")
	}
	root := writeSelectionTree(t)
	for _, patterns := range [][]string{
		{"*.tmp"},
		{"*.tmp", "!keep.tmp"},
		{"build"},
		{"/build/"},
		{"src/build"},
		{"build/", "!out.o"},
		{"**/raw"},
		{"photos/**"},
		{"photos/**", "!photos/1.jpg"},
		{"docs/**/c.md"},
		{"docs/*/c.md"},
		{"src/**/main.go"},
		{"{x}.txt"},
		{"{x,y}.txt"},
		{"[[]a].txt"},
		{"[!a-w].txt"},
		{"\\[a].txt"},
		{"\\#note"},
		{"\\!bang"},
		{"end "},
		{"end\\ "},
		{"?.jpg"},
		{"*"},
		{"*", "!*.jpg"},
		{"*.JPG"},
		{"photos/raw/*"},
		{".*"},
		{"a**g"},
	} {
		testkit.Must(t, os.WriteFile(filepath.Join(root, ".gitignore"), []byte(strings.Join(patterns, "\n")+"\n"), 0o600))
		if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
			testkit.Must(t, exec.CommandContext(t.Context(), git, "init", "-q", root).Run())
		}
		list := exec.CommandContext(t.Context(), git, "-C", root, "-c", "core.quotePath=false", "-c", "core.excludesFile=/dev/null",
			"ls-files", "-z", "--others", "--exclude-standard")
		out, err := list.Output()
		testkit.Must(t, err)
		want := without(strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), ".gitignore", "")
		got := without(selected(t, root, tasks.Selection{Exclude: append([]string{"/.git/"}, patterns...)}), ".gitignore", "")
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("without %q: %q, git lists %q", patterns, got, want)
		}
	}
}

func without(paths []string, names ...string) []string {
	return slices.DeleteFunc(paths, func(p string) bool { return slices.Contains(names, p) })
}

func TestListedPathsAreMatchedAsAWhole(t *testing.T) {
	root := writeSelectionTree(t)
	var list strings.Builder
	for _, name := range selectionTree {
		list.WriteString(filepath.Join(root, name) + "\n")
	}
	selector, err := scan.NewSelector(tasks.Selection{Exclude: []string{"build/", "photos", "*.txt"}})
	testkit.Must(t, err)
	var got []string
	report, err := scan.ReadPaths(t.Context(), strings.NewReader(list.String()), false, scan.Options{Select: selector}, func(f tasks.File) error {
		got = append(got, strings.TrimPrefix(f.Path, root+"/"))
		return nil
	})
	testkit.Must(t, err)
	want := []string{"a.jpg", "B.JPG", "a.tmp", "keep.tmp", "src/main.go", "src/deep/er/main.go", "#note", "!bang", "end ", "docs/a/b/c.md"}
	if !slices.Equal(got, want) || report.Unselected != 8 {
		t.Errorf("%q, and %d left out; want %q and 8", got, report.Unselected, want)
	}
}

// A folder that cannot be read may have selected files, so it is reported unless it is
// excluded.
func TestUnreadableIsReportedWhateverIsIncluded(t *testing.T) {
	root := writeSelectionTree(t)
	selector, err := scan.NewSelector(tasks.Selection{Include: []string{"*.jpg"}, MinSize: 1})
	testkit.Must(t, err)
	var problems []string
	_, err = scan.Scan(t.Context(), []string{filepath.Join(root, "gone")}, scan.Options{Select: selector}, func(f tasks.File) error {
		problems = append(problems, f.ScanError)
		return nil
	})
	testkit.Must(t, err)
	if len(problems) != 1 {
		t.Errorf("a source that is missing gives %q", problems)
	}
}

func TestPatternsThatAreNotValid(t *testing.T) {
	for _, s := range []tasks.Selection{
		{Exclude: []string{"["}}, {Exclude: []string{`a\`}}, {Exclude: []string{""}}, {Exclude: []string{"/"}}, {Include: []string{"!a"}},
		{Exclude: []string{"a\x00"}}, {Include: []string{"\xff"}},
	} {
		if _, err := scan.NewSelector(s); err == nil {
			t.Errorf("%s is taken", s)
		}
	}
}

func TestPatternFilesAreText(t *testing.T) {
	for content, want := range map[string]string{
		"a\n\nb\x00c\n":             "line 3 holds a NUL byte",
		"\xff\xfea\x00":             "line 1 holds a NUL byte",
		"ok\n\xe9\n":                "line 2 is not text in UTF-8",
		"ok\n[\n":                   "line 2: the pattern \"[\" is invalid",
		strings.Repeat("x", 70_000): "line 1 is longer than a path can be",
	} {
		if _, err := scan.ReadPatterns(strings.NewReader(content)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", content, err, want)
		}
	}
	if got, err := scan.ReadPatterns(strings.NewReader("\ufeff*.x\r\n# y\r\n")); err != nil || len(got) != 1 || got[0] != "*.x" {
		t.Errorf("of text with a mark: %q, %v", got, err)
	}
}
