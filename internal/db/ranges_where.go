package db

import (
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// mostRuns bounds the conditions of one query: SQLite takes a tree of 1000
// levels, and each OR is one.
const mostRuns = 100

// WhereInRanges restricts a query to a set of file numbers: runs as BETWEEN, the rest
// as one list. Where there are too many runs they are listed, too.
func WhereInRanges(q *gorm.DB, column string, numbers tasks.Ranges) *gorm.DB {
	var conds []string
	var args []any
	var list strings.Builder
	list.WriteByte('0') // no file's number; an empty list is no SQL
	for _, r := range numbers {
		if r.First < r.Last && len(conds) < mostRuns {
			conds = append(conds, column+" BETWEEN ? AND ?")
			args = append(args, r.First, r.Last)
			continue
		}
		for n := r.First; n <= r.Last; n++ {
			list.WriteByte(',')
			list.WriteString(strconv.FormatInt(n, 10)) // in the text, as parameters are limited in number
		}
	}
	conds = append(conds, column+" IN ("+list.String()+")")
	return q.Where("("+strings.Join(conds, " OR ")+")", args...)
}
