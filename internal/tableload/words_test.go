package tableload

import (
	"errors"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/testkit"
)

// Errors of SQLite about a table are in words, and a value that is no JSON for an index is
// the fault of its row alone.
func TestSQLiteErrorsAreInWords(t *testing.T) {
	b := newEnv(t, db.SQLite)
	exec := func(statement string) {
		t.Helper()
		testkit.Must(t, b.db.Exec(statement).Error)
	}
	b.wordTable(t, "words")
	exec("CREATE TRIGGER gone BEFORE INSERT ON words BEGIN INSERT INTO nosuch VALUES (1); END")
	_, err := b.table(t, "words", DuplicateError).Load(t.Context(), words(b.table(t, "words", DuplicateError), 0, "1 one"))
	if !errors.Is(err, ErrTable) || !strings.HasSuffix(err.Error(), "refers to a table that does not exist: main.nosuch") {
		t.Errorf("a trigger of a table that is gone: %v", err)
	}
	var many []Column
	for i := range 2100 {
		many = append(many, Column{Name: "c" + strings.Repeat("x", i%50) + string(rune('a'+i/50%26)) + string(rune('a'+i/1300)), Kind: ColumnInt})
	}
	err = b.CreateTable(t.Context(), "wide", many, nil)
	if err == nil || !strings.HasSuffix(err.Error(), "create table wide: it has more columns than the database allows; choose fewer with a mapping") {
		t.Errorf("too many columns: %v", err)
	}
	b.wordTable(t, "documents")
	exec("CREATE INDEX word_of ON documents (json_extract(word, '$.a'))")
	table := b.table(t, "documents", DuplicateError)
	counts, err := table.Load(t.Context(), words(table, 10, "1 {}", "2 none", "3 [1]"))
	if err != nil || counts.Loaded != 2 || counts.Bad != 1 {
		t.Errorf("no JSON for an index: %+v, %v", counts, err)
	}
	var reason string
	if err := b.db.Raw("SELECT reason FROM rejected_lines").Scan(&reason).Error; err != nil || reason != refusal+"a value is not JSON" {
		t.Errorf("%q, %v", reason, err)
	}
}
