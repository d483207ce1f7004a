package load

import (
	"slices"
	"strings"
)

// Limits on the names of members without a column: how many are kept of a section, and
// how long they are.
const (
	mostUnmapped    = 20
	unmappedNameLen = 100
)

// unmapped collects the members of lines that have no column.
type unmapped struct {
	values  int64
	names   []string
	pending int64    // values of the line that is being read
	fresh   []string // names that are new in that line
}

// see is called by the scanner.
func (u *unmapped) see(name []byte) *place {
	u.pending++
	if len(u.names)+len(u.fresh) < mostUnmapped && !slices.Contains(u.names, string(name)) && !slices.Contains(u.fresh, string(name)) {
		u.fresh = append(u.fresh, string(name))
	}
	return nil
}

// end counts the values of the line if it was loaded; otherwise it drops them.
func (u *unmapped) end(loaded bool) {
	if loaded {
		u.values += u.pending
		u.names = append(u.names, u.fresh...)
	}
	u.pending, u.fresh = 0, u.fresh[:0]
}

// shortNames returns the names, with very long ones cut.
func (u *unmapped) shortNames() []string {
	short := make([]string, len(u.names))
	for i, name := range u.names {
		short[i] = strings.ToValidUTF8(name[:min(len(name), unmappedNameLen)], "")
	}
	return short
}
