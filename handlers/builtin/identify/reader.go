package identify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/balerhq/baler/handlers"
)

// blockSize is what a window reads at a time: many of siegfried's 4 KiB pages.
const blockSize = 64 << 10

// window shows a file to siegfried, slice by slice, in bounded memory and with a bound
// on what is read. siegfried's own sources do not fit: it maps files into memory, where
// a file that shrinks kills the process, and it copies streams whole. The methods are
// those that siegfried requires of a source that can be sliced. A returned slice never
// changes.
type window struct {
	ctx  context.Context //nolint:containedctx // siegfried's calls carry none
	file io.ReaderAt
	size int64

	mu     sync.Mutex
	blocks [4]block // the first of the file, then the last used in turn
	turn   int
	budget int64 // bytes that may still be read
	err    error // why a slice could not be read
}

type block struct {
	at   int64
	data []byte
}

var errScanned = errors.New("the limit of bytes to read is reached")

func newWindow(ctx context.Context, file io.ReaderAt, size, limit int64) *window {
	return &window{ctx: ctx, file: file, size: size, budget: limit}
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
	w.mu.Lock()
	defer w.mu.Unlock()
	at := off - off%blockSize
	if off+int64(n) > at+blockSize {
		return w.fetch(off, n) // across blocks, or more than one holds: rare
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
	data, err := w.fetch(at, int(min(blockSize, w.size-at)))
	if err != nil {
		return block{}, err
	}
	slot := 0
	if at > 0 {
		slot = 1 + w.turn
		w.turn = (w.turn + 1) % (len(w.blocks) - 1)
	}
	w.blocks[slot] = block{at: at, data: data}
	return w.blocks[slot], nil
}

// fetch reads from the file itself. The first failure is kept.
func (w *window) fetch(off int64, n int) ([]byte, error) {
	p, err := w.fetchOnce(off, n)
	if err != nil && (w.err == nil || errors.Is(w.err, errScanned)) {
		w.err = err
	}
	return p, err
}

func (w *window) fetchOnce(off int64, n int) ([]byte, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	if w.budget <= 0 {
		return nil, errScanned
	}
	w.budget -= int64(n)
	p := make([]byte, n)
	if got, err := w.file.ReadAt(p, off); got < n {
		if errors.Is(err, io.EOF) {
			return nil, handlers.RetryLater(handlers.CodeChangedWhileReading,
				fmt.Errorf("the file ended at %d of %d bytes", off+int64(got), w.size))
		}
		return nil, handlers.RetryLater(handlers.CodeIO, err)
	}
	return p, nil
}
