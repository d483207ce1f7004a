package systemtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPromisesNameTestsThatExist(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "promises.md"))
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	err = filepath.WalkDir(filepath.Join("..", ".."), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		src, err := os.ReadFile(path)
		code.Write(src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllSubmatch(page, -1)
	if len(names) < 30 {
		t.Fatalf("the page names %d tests", len(names))
	}
	for _, m := range names {
		if name := string(m[1]); !strings.Contains(code.String(), "func "+name+"(") {
			t.Errorf("docs/promises.md names %s, which does not exist", name)
		}
	}
	for _, m := range regexp.MustCompile("` in `([a-z/]+)`").FindAllSubmatch(page, -1) {
		if _, err := os.Stat(filepath.Join("..", "..", string(m[1]))); err != nil {
			t.Errorf("docs/promises.md names a package: %v", err)
		}
	}
}
