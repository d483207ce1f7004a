package tableload

import (
	"fmt"
	"slices"
	"strings"
)

// duplicate writes MySQL's clause. The number of affected rows does not tell
// duplicates, so a variable of the session counts them: INSERT IGNORE, which
// would tell, also bends values until they fit.
func (t *Table) duplicate(key []string) {
	t.counted = true
	counting := func(column, value string) string {
		return fmt.Sprintf("%s = IF((@baler_duplicates := @baler_duplicates + 1) > 0, %s, %s)", column, value, value)
	}
	var sets []string
	for _, name := range t.names() {
		column := t.s.db.Dialect().Quote(name)
		value := "VALUES(" + column + ")"
		switch {
		case t.on == DuplicateIgnore || slices.Contains(key, name):
		case len(sets) == 0:
			sets = append(sets, counting(column, value))
		default:
			sets = append(sets, column+" = "+value)
		}
	}
	if len(sets) == 0 {
		column := t.s.db.Dialect().Quote(key[0])
		sets = []string{counting(column, column)}
	}
	t.clause = " ON DUPLICATE KEY UPDATE " + strings.Join(sets, ", ")
}

// conflict writes SQLite's clause.
func (t *Table) conflict(key []string) {
	target := " ON CONFLICT (" + t.s.db.Dialect().QuoteAll(key) + ") DO "
	t.clause = target + "NOTHING"
	var sets []string
	for _, name := range t.names() {
		if column := t.s.db.Dialect().Quote(name); !slices.Contains(key, name) {
			sets = append(sets, column+" = excluded."+column)
		}
	}
	if t.on == DuplicateUpdate && len(sets) > 0 {
		t.first, t.clause = t.clause, target+"UPDATE SET "+strings.Join(sets, ", ")
	}
}
