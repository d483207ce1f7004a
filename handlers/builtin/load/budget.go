package load

import (
	"sync"

	"github.com/balerhq/baler/internal/tableload"
)

// MemoryBudget keeps what sections take of memory for the sections to come, whichever
// loader's they are. The zero value is ready for use.
type MemoryBudget struct{ boxes sync.Pool }

// box is what one section in work takes of memory.
type box struct {
	buffer  []byte
	rows    tableload.RowBuffer
	mapper  mapper
	section section
}

// box finds or makes a box for a section of this loader's.
func (l *Loader) box() *box {
	b, ok := l.memory.boxes.Get().(*box)
	if !ok {
		b = &box{}
	}
	l.table.Empty(&b.rows)
	columns := l.table.Columns()
	b.mapper = mapper{
		columns: columns, kinds: l.kinds, wanted: l.wanted, whole: l.whole, keyword: l.keyword,
		scanner: scanner{found: make([]value, len(columns)), key: b.mapper.scanner.key}, text: b.mapper.text,
	}
	return b
}
