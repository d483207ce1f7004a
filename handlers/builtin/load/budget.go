package load

import (
	"sync"

	"github.com/balerhq/baler/internal/tableload"
)

// MemoryBudget lets the sections of all loaders reuse each other's memory. The zero
// value is ready for use.
type MemoryBudget struct{ boxes sync.Pool }

// box is the memory of one section while it is loaded.
type box struct {
	buffer  []byte
	rows    tableload.RowBuffer
	mapper  mapper
	section section
}

// takeBox returns a used box or a new one, prepared for a section of this loader.
func (l *Loader) takeBox() *box {
	b, ok := l.memory.boxes.Get().(*box)
	if !ok {
		b = &box{}
	}
	l.prepare(b)
	return b
}

// prepare empties a box for a section of this loader.
func (l *Loader) prepare(b *box) {
	l.table.Empty(&b.rows)
	columns := l.table.Columns()
	b.mapper = mapper{
		columns: columns, kinds: l.kinds, strings: l.strings, wanted: l.wanted, whole: l.whole, keyword: l.keyword,
		scanner: scanner{found: make([]value, len(columns)), key: b.mapper.scanner.key}, text: b.mapper.text,
	}
	if l.byName {
		b.mapper.scanner.unknown = b.mapper.unmapped.see
	}
}
