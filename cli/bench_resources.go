package cli

import (
	"fmt"
	"strconv"

	"github.com/balerhq/baler/internal/bench"
)

// useTable shows processor time and memory of each kind of process. It has no rows on
// systems that do not report them.
type useTable struct{ *table }

// newUses makes a table that begins with the columns of the measurement.
func newUses(columns ...column) useTable {
	for _, kind := range bench.ProcessKinds() {
		columns = append(columns, numbers(kind+" µs"))
	}
	for _, kind := range bench.ProcessKinds() {
		columns = append(columns, numbers(kind+" MiB"))
	}
	return useTable{newTable(columns...)}
}

// row adds processor time, in seconds for all things, and memory, in bytes, after the
// cells of the measurement.
func (t useTable) row(cpu map[string]float64, peak map[string]int64, things int, cells ...string) {
	if len(cpu) == 0 {
		return
	}
	for _, kind := range bench.ProcessKinds() {
		cell := ""
		if seconds, ok := cpu[kind]; ok {
			cell = fmt.Sprintf("%.1f", seconds*1e6/float64(things))
		}
		cells = append(cells, cell)
	}
	for _, kind := range bench.ProcessKinds() {
		cell := ""
		if bytes, ok := peak[kind]; ok {
			cell = strconv.FormatInt(bytes>>20, 10)
		}
		cells = append(cells, cell)
	}
	t.table.row(cells...)
}
