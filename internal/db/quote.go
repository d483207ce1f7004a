package db

import "strings"

// Quote writes name as a quoted identifier.
func (d Dialect) Quote(name string) string {
	if d == SQLite {
		return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// QuoteAll writes names as quoted identifiers, joined by commas.
func (d Dialect) QuoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = d.Quote(name)
	}
	return strings.Join(quoted, ",")
}
