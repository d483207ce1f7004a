package tableload

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// duplicate writes MySQL's clause. The number of affected rows does not reveal
// duplicates, so a variable of the session counts them. INSERT IGNORE would reveal
// them, but it also changes values that do not fit.
func (t *Table) duplicate(key []string) {
	t.counted = true
	guard := t.guard(key)
	counting := func(column, value string) string {
		return fmt.Sprintf("%s = IF((@baler_duplicates := @baler_duplicates + 1 + %s) > 0, %s, %s)", column, guard, value, value)
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

// guard is 0 for a row that has the key of the row that is there, byte by byte.
// Otherwise it is an error, so that the row is rejected: the column's collation treats
// two keys as equal, or the row conflicts with another unique key of the table.
func (t *Table) guard(key []string) string {
	same := make([]string, len(key))
	for i, name := range key {
		column := t.s.db.Dialect().Quote(name)
		same[i] = fmt.Sprintf("BINARY %s <=> BINARY VALUES(%[1]s)", column)
	}
	// With a column in it, the server does not compute the overflow in advance.
	overflow := "18446744073709551615 + LENGTH(" + t.s.db.Dialect().Quote(key[0]) + ") + 1"
	return "IF(" + strings.Join(same, " AND ") + ", 0, " + overflow + ")"
}

// liteGuard is the guard on SQLite, as the condition of an update. Only text has
// collations, and SQLite itself refuses rows that conflict with other unique keys.
func (t *Table) liteGuard(key []string) string {
	table := t.s.db.Dialect().Quote(t.name) + "."
	var differs, lengths []string
	for i := range t.columns {
		if c := &t.columns[i]; c.Key && c.Kind == ColumnText {
			column := t.s.db.Dialect().Quote(c.Name)
			differs = append(differs, fmt.Sprintf("CAST(%s%s AS BLOB) IS NOT CAST(excluded.%[2]s AS BLOB)", table, column))
			lengths = append(lengths, "length("+table+column+")")
		}
	}
	if len(differs) == 0 {
		return ""
	}
	column := t.s.db.Dialect().Quote(key[0])
	return fmt.Sprintf("UPDATE SET %s = excluded.%[1]s WHERE (%s) AND zeroblob(2147483648 + %s)",
		column, strings.Join(differs, " OR "), strings.Join(lengths, " + ")) // too large a value: an error
}

// conflict writes SQLite's clause.
func (t *Table) conflict(key []string) {
	target := " ON CONFLICT (" + t.s.db.Dialect().QuoteAll(key) + ") DO "
	t.clause = target + cmp.Or(t.liteGuard(key), "NOTHING")
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
