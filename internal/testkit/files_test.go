package testkit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestMustEndsTheTestAtAnError(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errors.New("broken")} {
		if failure := watch(t, func(t testing.TB) { t.Helper(); Must(t, want) }); (failure != "") != (want != nil) {
			t.Errorf("for the error %v: %q", want, failure)
		}
	}
}

// list returns the files below root with their contents, and the empty folders.
func list(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	Must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
				return err
			}
			all = append(all, name+"/")
			return nil
		}
		content, err := os.ReadFile(path)
		all = append(all, name+"="+string(content))
		return err
	}))
	return all
}

func TestWriteTreeMakesFilesAndFolders(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	WriteTree(t, root, "a", "b/c", "b/d/e", "empty/")
	WriteFile(t, filepath.Join(root, "b/x/y"), "text")
	want := []string{"a=a", "b/c=b/c", "b/d/e=b/d/e", "b/x/y=text", "empty/"}
	if got := list(t, root); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	numbered := list(t, NumberedTree(t, 201))
	if len(numbered) != 201 || numbered[0] != "d000/f00000.txt=file 0" || numbered[200] != "d002/f00200.txt=file 200" {
		t.Errorf("got %d files: %q", len(numbered), numbered)
	}
	if got := list(t, NumberedTree(t, 0)); !slices.Equal(got, []string{"./"}) {
		t.Errorf("without files: %q", got)
	}
}
