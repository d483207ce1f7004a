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
	if len(numbers) == 0 {
		return q.Where("1 = 0")
	}
	// The bounds first, and by themselves: SQLite makes no range of an index from
	// conditions between which there is an OR, and would read the whole transfer.
	q = q.Where(column+" BETWEEN ? AND ?", numbers[0].First, numbers[len(numbers)-1].Last)
	if len(numbers) == 1 {
		return q
	}
	var conds []string
	var args []any
	var list strings.Builder
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
	if list.Len() > 0 {
		conds = append(conds, column+" IN ("+list.String()[1:]+")")
	}
	return q.Where("("+strings.Join(conds, " OR ")+")", args...)
}
