package bench

import (
	"strings"
	"time"
)

// The rows that baselines insert: the same tables and columns as the program's.
const (
	fileColumns   = "(transfer_id, no, path, size, mtime, problem)"
	resultColumns = "(transfer_id, step_no, file_no, batch_id, outcome, exit_code, code, output, error, truncated, facts, " +
		"attempt, worker, started_at, ended_at)"
)

// inserter writes multi-row INSERTs.
type inserter struct {
	head string
	row  string // "(?, …)"
	args []any
	rows int
}

func newInserter(table, columns string) *inserter {
	marks := strings.TrimSuffix(strings.Repeat("?, ", strings.Count(columns, ",")+1), ", ")
	return &inserter{head: "INSERT INTO " + table + " " + columns + " VALUES ", row: "(" + marks + ")"}
}

func (i *inserter) add(values ...any) {
	i.args = append(i.args, values...)
	i.rows++
}

func (i *inserter) file(transfer, no int64, path string, now time.Time) {
	i.add(transfer, no, path, 0, now, "")
}

func (i *inserter) result(transfer, no int64, now time.Time) {
	i.add(transfer, 1, no, no, "succeeded", 0, "", "", "", false, nil, 1, "bench-1", now, now)
}

// statement gives the INSERT, and begins the next.
func (i *inserter) statement() (query string, args []any) {
	query = i.head + strings.TrimSuffix(strings.Repeat(i.row+",", i.rows), ",")
	args, i.args, i.rows = i.args, nil, 0
	return query, args
}
