package load

import (
	"sync"

	"github.com/balerhq/baler/internal/tableload"
)

// MemoryBudget lets the sections of all loaders reuse each other's memory. The zero
// value is ready for use.
type MemoryBudget struct{ free sync.Pool }

// buffers is the memory of one section while it is loaded.
type buffers struct {
	buffer  []byte
	rows    tableload.RowBuffer
	mapper  mapper
	section section
}

// takeBuffers returns used buffers or new ones, prepared for a section of this loader.
func (l *Loader) takeBuffers() *buffers {
	b, ok := l.memory.free.Get().(*buffers)
	if !ok {
		b = &buffers{}
	}
	l.prepare(b)
	return b
}

// prepare empties the buffers for a section of this loader.
func (l *Loader) prepare(b *buffers) {
	l.table.ResetRows(&b.rows)
	columns := l.table.Columns()
	b.mapper = mapper{
		columns: columns, kinds: l.kinds, strings: l.strings, wanted: l.wanted, whole: l.whole, keyword: l.keyword,
		scanner: scanner{found: make([]value, len(columns)), key: b.mapper.scanner.key}, text: b.mapper.text,
	}
	if l.byName {
		b.mapper.scanner.unknown = b.mapper.unmapped.see
	}
}
