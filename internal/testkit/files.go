package testkit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// WriteFile writes a file and creates the folders above it.
func WriteFile(t testing.TB, path, content string) {
	t.Helper()
	Must(t, os.MkdirAll(filepath.Dir(path), 0o755)) //nolint:gosec // tests read as other users, too
	Must(t, os.WriteFile(path, []byte(content), 0o600))
}

// WriteTree writes files, named by their paths below dir. The content of each is
// its own name. A name that ends with a slash makes an empty folder.
func WriteTree(t testing.TB, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			Must(t, os.MkdirAll(path, 0o755)) //nolint:gosec // as above
			continue
		}
		WriteFile(t, path, name)
	}
}

// filesPerFolder is how many files NumberedTree puts into a folder.
const filesPerFolder = 100

// NumberedTree makes n small files in folders of 100 below a new directory, beginning with
// d000/f00000.txt, whose content is "file 0", and returns the directory.
func NumberedTree(t testing.TB, n int) string {
	t.Helper()
	root := t.TempDir()
	for first := 0; first < n; first += filesPerFolder {
		dir := filepath.Join(root, fmt.Sprintf("d%03d", first/filesPerFolder))
		Must(t, os.Mkdir(dir, 0o700))
		for i := first; i < min(first+filesPerFolder, n); i++ {
			Must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%05d.txt", i)), []byte(fmt.Sprintf("file %d", i)), 0o600))
		}
	}
	return root
}

// WriteFileIn writes a file below dir, with the folders on its way, and returns
// its path.
func WriteFileIn(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	WriteFile(t, path, content)
	return path
}

// Roots returns the folders below which tests write files. Workers on shared services need
// roots to read files.
func Roots() []string { return []string{os.TempDir()} }
