package identify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/checksum"
)

// blockSize is what a window reads at a time: many of siegfried's 4 KiB pages.
const blockSize = 64 << 10

// window shows a file to siegfried, slice by slice, in bounded memory and with a bound
// on what is read. siegfried's own sources do not fit: it maps files into memory, where
// a file that shrinks kills the process, and it copies streams whole. The methods are
// those that siegfried requires of a source that can be sliced. A returned slice does
// not change until release.
type window struct {
	ctx  context.Context //nolint:containedctx // siegfried's calls carry none
	file io.ReaderAt
	size int64
	all  checksum.InMemory // all of the file, when it is in memory and within the limit

	mu     sync.Mutex
	blocks [4]block // the first of the file, then the last used in turn
	turn   int
	budget int64 // bytes that may still be read
	err    error // why a slice could not be read
}

type block struct {
	at     int64
	data   []byte
	memory *[blockSize]byte // of data
}

// blockMemory keeps what earlier windows have released: without it, reading small files
// would make as much garbage as they have bytes.
//
//nolint:gochecknoglobals // a cache for the whole process
var blockMemory = sync.Pool{New: func() any { return new([blockSize]byte) }}

var errScanned = errors.New("the limit of bytes to read is reached")

func newWindow(ctx context.Context, file io.ReaderAt, size, limit int64) *window {
	w := &window{ctx: ctx, file: file, size: size, budget: limit}
	if content, ok := file.(checksum.InMemory); ok && size <= limit {
		w.all = content
	}
	return w
}

// IsSlicer tells siegfried to use the methods below.
func (w *window) IsSlicer() bool { return true }

// Size is the file's size.
func (w *window) Size() int64 { return w.size }

// Read exists only because siegfried takes an io.Reader.
func (w *window) Read([]byte) (int, error) { return 0, io.EOF }

// Slice gives n bytes from an offset; fewer, and io.EOF, at the end of the file.
func (w *window) Slice(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off >= w.size {
		return nil, io.EOF
	}
	if int64(n) > w.size-off {
		p, err := w.read(off, int(w.size-off))
		if err != nil {
			return nil, err
		}
		return p, io.EOF
	}
	return w.read(off, n)
}

// EofSlice gives the n bytes that end at an offset counted from the end of the
// file; fewer, and io.EOF, at its beginning.
func (w *window) EofSlice(off int64, n int) ([]byte, error) { //nolint:revive // the name is siegfried's
	if off < 0 || n < 0 || off >= w.size {
		return nil, io.EOF
	}
	if int64(n) > w.size-off {
		p, err := w.read(0, int(w.size-off))
		if err != nil {
			return nil, err
		}
		return p, io.EOF
	}
	return w.read(w.size-off-int64(n), n)
}

// failure returns an error that makes the result invalid: an ended context, an error of
// the storage, a file that shrank. Reaching the limit is not a failure.
func (w *window) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errors.Is(w.err, errScanned) {
		return nil
	}
	return w.err
}

// cut reports whether siegfried asked for more than may be read.
func (w *window) cut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Is(w.err, errScanned)
}

func (w *window) read(off int64, n int) ([]byte, error) {
	if w.all != nil {
		return w.all[off:][:n:n], nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := off - off%blockSize
	if off+int64(n) > at+blockSize {
		p := make([]byte, n) // across blocks, or more than one holds: rare
		if err := w.fetch(p, off); err != nil {
			return nil, err
		}
		return p, nil
	}
	b, err := w.block(at)
	if err != nil {
		return nil, err
	}
	return b.data[off-at:][:n:n], nil
}

func (w *window) block(at int64) (block, error) {
	for _, b := range w.blocks {
		if b.data != nil && b.at == at {
			return b, nil
		}
	}
	memory, _ := blockMemory.Get().(*[blockSize]byte) // New gives nothing else
	data := memory[:min(blockSize, w.size-at)]
	if err := w.fetch(data, at); err != nil {
		blockMemory.Put(memory)
		return block{}, err
	}
	slot := 0
	if at > 0 {
		slot = 1 + w.turn
		w.turn = (w.turn + 1) % (len(w.blocks) - 1)
	}
	w.blocks[slot] = block{at: at, data: data, memory: memory} // slices of the block before stay valid
	return w.blocks[slot], nil
}

// fetch reads from the file itself. The first failure is kept.
func (w *window) fetch(p []byte, off int64) error {
	err := w.fetchOnce(p, off)
	if err != nil && (w.err == nil || errors.Is(w.err, errScanned)) {
		w.err = err
	}
	return err
}

func (w *window) fetchOnce(p []byte, off int64) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if w.budget <= 0 {
		return errScanned
	}
	w.budget -= int64(len(p))
	if got, err := w.file.ReadAt(p, off); got < len(p) {
		if errors.Is(err, io.EOF) {
			return handlers.RetryLater(handlers.CodeChangedWhileReading,
				fmt.Errorf("the file ended at %d of %d bytes", off+int64(got), w.size))
		}
		return handlers.RetryLater(handlers.CodeIO, err)
	}
	return nil
}

// release gives the memory of the window to later ones. Nothing may look at its slices
// any more.
func (w *window) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.blocks {
		if memory := w.blocks[i].memory; memory != nil {
			blockMemory.Put(memory)
		}
	}
	w.blocks, w.budget = [len(w.blocks)]block{}, 0
}
