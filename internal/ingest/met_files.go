package ingest

import "github.com/balerhq/baler/tasks"

// metFiles is a set of files of a collection. It takes a bit for each.
type metFiles struct {
	bits map[int64][]uint64 // by transfer
	n    int64
}

func (m *metFiles) add(k tasks.FileKey) {
	if m.bits == nil {
		m.bits = make(map[int64][]uint64)
	}
	bits, word := m.bits[k.Transfer], int(k.File/64)
	if more := word + 1 - len(bits); more > 0 {
		bits = append(bits, make([]uint64, more)...)
		m.bits[k.Transfer] = bits
	}
	if one := uint64(1) << (k.File % 64); bits[word]&one == 0 {
		bits[word] |= one
		m.n++
	}
}

func (m *metFiles) has(k tasks.FileKey) bool {
	bits, word := m.bits[k.Transfer], int(k.File/64)
	return word < len(bits) && bits[word]&(1<<(k.File%64)) != 0
}
