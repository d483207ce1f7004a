package bench

import (
	"strconv"
	"strings"
	"time"
)

// The heads of the INSERTs: the same tables as the program's, and every column
// that a whole file has. Those at the end hold their defaults in every row; short
// statements leave them out.
const (
	intoFiles   = "INSERT INTO files (transfer_id, no, path, size, mtime"
	intoResults = "INSERT INTO results (transfer_id, step_no, file_no, batch_id, outcome, worker, started_at, ended_at"

	filesRest   = ", scan_error"
	resultsRest = ", exit_code, code, output, error, truncated, facts, attempt"
)

// inserter writes multi-row INSERTs as text: no other way costs a client less.
type inserter struct {
	head  string
	rest  string // columns
	whole string // what stands in them in every row
	text  []byte
}

func insertFiles(short bool) *inserter {
	if short {
		return &inserter{head: intoFiles}
	}
	return &inserter{head: intoFiles, rest: filesRest, whole: ",''"}
}

func insertResults(short bool) *inserter {
	if short {
		return &inserter{head: intoResults}
	}
	return &inserter{head: intoResults, rest: resultsRest, whole: ",0,'','','',0,NULL,1"}
}

func (i *inserter) file(transfer, no int64, path, now string) {
	i.numbers(transfer, no)
	i.text = append(i.text, ",'"...)
	i.text = append(i.text, quote(path)...)
	i.text = append(i.text, "',0,"...)
	i.text = append(i.text, now...)
	i.text = append(i.text, i.whole...)
	i.text = append(i.text, ')')
}

func (i *inserter) result(transfer, no int64, now string) {
	i.numbers(transfer, 1, no, no)
	i.text = append(i.text, ",'succeeded','bench-1',"...)
	i.text = append(i.text, now...)
	i.text = append(i.text, ',')
	i.text = append(i.text, now...)
	i.text = append(i.text, i.whole...)
	i.text = append(i.text, ')')
}

// numbers begins a row.
func (i *inserter) numbers(all ...int64) {
	separator := byte('(')
	if len(i.text) == 0 {
		i.text = append(i.text, i.head+i.rest+") VALUES "...)
	} else {
		i.text = append(i.text, ',')
	}
	for _, n := range all {
		i.text = strconv.AppendInt(append(i.text, separator), n, 10)
		separator = ','
	}
}

// statement gives the INSERT, and begins the next.
func (i *inserter) statement() string {
	s := string(i.text)
	i.text = i.text[:0]
	return s
}

// moment is a time as SQL has it.
func moment(t time.Time) string { return t.UTC().Format("'2006-01-02 15:04:05.000000'") }

// quote escapes what ends a string or begins an escape; the temporary folder may have either.
func quote(s string) string {
	if !strings.ContainsAny(s, `'\`) {
		return s
	}
	return strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(s)
}
