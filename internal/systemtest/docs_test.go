package systemtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPagesNameTestsThatExist(t *testing.T) {
	t.Parallel()
	code := testCode(t)
	for page, least := range map[string]int{"promises.md": 30, "security.md": 20} {
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllSubmatch(text, -1)
		if len(names) < least {
			t.Errorf("%s names %d tests", page, len(names))
		}
		for _, m := range names {
			if name := string(m[1]); !strings.Contains(code, "func "+name+"(") {
				t.Errorf("docs/%s names %s, which does not exist", page, name)
			}
		}
		for _, m := range regexp.MustCompile("` in `([a-z/]+)`").FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join("..", "..", string(m[1]))); err != nil {
				t.Errorf("docs/%s names a package: %v", page, err)
			}
		}
	}
}

// testCode returns the source of all tests.
func testCode(t *testing.T) string {
	t.Helper()
	var code strings.Builder
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, _ fs.DirEntry, err error) error {
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
	return code.String()
}
