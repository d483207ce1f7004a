package db

import (
	_ "embed"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// reservedWords are those of MySQL 9.7: SELECT LOWER(word) FROM information_schema.keywords WHERE reserved.
// Each version adds some, so that names which MariaDB and an older MySQL take are syntax errors.
//
//go:embed testdata/mysql_9.7_reserved_words.txt
var reservedWords string

// madeNames finds the names that a migration gives: columns begin a line of their own.
var madeNames = regexp.MustCompile(`(?m)^\s+([a-z_]+)\s|(?:TABLE|KEY|INDEX)\s+(?:IF NOT EXISTS\s+)?([a-z_]+)`)

func TestNamesAreNotReserved(t *testing.T) {
	t.Parallel()
	reserved := make(map[string]bool)
	for word := range strings.FieldsSeq(reservedWords) {
		reserved[word] = true
	}
	testkit.Must(t, fs.WalkDir(migrations, "migrations/mysql", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		if err != nil {
			return err
		}
		found := madeNames.FindAllStringSubmatch(string(text), -1)
		for _, m := range found {
			if name := m[1] + m[2]; reserved[name] {
				t.Errorf("%s: %q is a reserved word of MySQL; give it another name", path, name)
			}
		}
		if len(found) < 100 {
			t.Errorf("%s: found %d names only", path, len(found))
		}
		return nil
	}))
}
