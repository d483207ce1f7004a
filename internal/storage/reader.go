package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

const (
	firstWindow = 256 << 10        // bytes that opening an object reads: all of a small one
	mostWindow  = 8 << 20          // bytes of one request while an object is read from its beginning to its end
	windowTime  = 10 * time.Second // of one request: on a slow line, less is read at a time, so that content keeps coming
	fetchTries  = 3                // of one request whose content breaks off
)

// Open opens an object for reading. All that is read belongs to the version that it has
// now: once the object is another one, reading is a handlers.CodeChangedWhileReading.
func (b *Buckets) Open(path string) (handlers.ReadableFile, error) {
	s, key, err := b.bucket(context.Background(), path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: failure(err)}
	}
	if key == "" {
		return nil, &fs.PathError{Op: "open", Path: path, Err: handlers.ErrNotAFile}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &reader{ctx: ctx, cancel: cancel, service: s, path: path, key: key, most: mostWindow}
	if err := r.open(); err != nil {
		cancel()
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return r, nil
}

// reader reads an object by ranges, of which it keeps the last two: formats are often read
// at both ends. It is safe for concurrent use.
type reader struct {
	ctx     context.Context //nolint:containedctx // until Close
	cancel  context.CancelFunc
	service service
	path    string
	key     string
	content content

	mu      sync.Mutex
	windows [2]window // the newer one first
	most    int64     // bytes of one request, by the pace of the last one
	at      int64     // of Read
	err     error     // the object has changed, or is closed
}

// window is a part of the object in memory.
type window struct {
	off  int64
	data []byte
}

func (w *window) has(off int64) bool { return off >= w.off && off < w.off+int64(len(w.data)) }

// open reads the beginning, which also tells size, time and version.
func (r *reader) open() error {
	data, c, err := r.fetch(0, firstWindow, "")
	if errors.Is(err, errPastEnd) { // the object is empty, of which there is no range
		err = r.openEmpty()
		return err
	}
	if err != nil {
		return err
	}
	r.content, r.windows[0] = c, window{0, data}
	return nil
}

func (r *reader) openEmpty() error {
	ctx, cancel := context.WithTimeout(r.ctx, requestTime)
	defer cancel()
	page, _, err := r.service.list(ctx, r.key, "", 1)
	switch {
	case err != nil:
		return failure(err)
	case len(page) == 0 || page[0].key != r.key:
		return missing("there is no such object")
	case page[0].size > 0:
		return handlers.RetryLater(handlers.CodeChangedWhileReading, errChanged)
	}
	r.content = content{0, page[0].modTime, page[0].version}
	return nil
}

// fetch reads a range into memory. It tries again when the connection breaks.
func (r *reader) fetch(off, n int64, version string) (data []byte, c content, err error) {
	for try := 1; ; try++ {
		begun := time.Now()
		data, c, err = r.request(off, n, version)
		r.pace(int64(len(data)), time.Since(begun))
		if !errors.Is(err, errBroken) || try == fetchTries || r.ctx.Err() != nil {
			break
		}
		if sleep.For(r.ctx, 200*time.Millisecond<<try) != nil {
			break
		}
	}
	if err != nil {
		if errors.Is(err, errChanged) {
			err = handlers.RetryLater(handlers.CodeChangedWhileReading, errChanged)
		}
		return nil, c, failure(err)
	}
	return data, c, nil
}

// pace learns from a request how much the next one can read within windowTime. Too little to
// tell is ignored.
func (r *reader) pace(bytes int64, took time.Duration) {
	if bytes < firstWindow || took <= 0 {
		return
	}
	most := float64(bytes) * windowTime.Seconds() / took.Seconds()
	r.most = int64(max(firstWindow, min(most, mostWindow)))
}

func (r *reader) request(off, n int64, version string) ([]byte, content, error) {
	ctx, cancel := context.WithTimeout(r.ctx, requestTime)
	defer cancel()
	body, c, err := r.service.fetch(ctx, r.key, off, n, version)
	if err != nil {
		return nil, c, err
	}
	defer func() { _ = body.Close() }() // only read from
	data := make([]byte, min(n, max(0, c.size-off)))
	if got, err := io.ReadFull(body, data); err != nil {
		return nil, c, fmt.Errorf("%w: %d of %d bytes from %d came: %w", errBroken, got, len(data), off, notTheEnd(err))
	}
	return data, c, nil
}

// errBroken is the error of content that breaks off. The services' libraries try again only
// what fails before content comes.
var errBroken = errors.New("the connection broke")

// notTheEnd says that the content is not at its end.
func notTheEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// ReadAt implements io.ReaderAt. Its errors are *fs.PathError, but for io.EOF.
func (r *reader) ReadAt(p []byte, off int64) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.readAt(p, off)
}

func (r *reader) readAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, &fs.PathError{Op: "read", Path: r.path, Err: fs.ErrInvalid}
	}
	for n < len(p) && off < r.content.size {
		w, err := r.window(off, int64(len(p)-n))
		if err != nil {
			return n, &fs.PathError{Op: "read", Path: r.path, Err: err}
		}
		got := copy(p[n:], w.data[off-w.off:])
		n, off = n+got, off+int64(got)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// window returns the window that has an offset. It reads ever more at a time while the
// reading goes on where it was.
func (r *reader) window(off, wanted int64) (*window, error) {
	if r.err != nil {
		return nil, r.err
	}
	for i := range r.windows {
		if r.windows[i].has(off) {
			r.windows[0], r.windows[i] = r.windows[i], r.windows[0]
			return &r.windows[0], nil
		}
	}
	size := max(firstWindow, min(wanted, r.most))
	if last := &r.windows[0]; len(last.data) > 0 && off == last.off+int64(len(last.data)) {
		size = max(size, min(2*int64(len(last.data)), r.most))
	}
	data, _, err := r.fetch(off, min(size, r.content.size-off), r.content.version)
	if err != nil {
		if final(err) {
			r.err = err
		}
		return nil, err
	}
	r.windows[1] = r.windows[0]
	r.windows[0] = window{off, data}
	return &r.windows[0], nil
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.readAt(p, r.at)
	r.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Seek implements io.Seeker.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.content.size
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "seek", Path: r.path, Err: fs.ErrInvalid}
	}
	r.at = offset
	return offset, nil
}

// Close ends requests that run.
func (r *reader) Close() error {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.windows, r.err = [2]window{}, fs.ErrClosed
	return nil
}

// Stat describes the object as it was when it was opened.
func (r *reader) Stat() (fs.FileInfo, error) { return info{r.path, &r.content}, nil }

// info is content as a fs.FileInfo.
type info struct {
	path    string
	content *content
}

func (i info) Name() string       { return tasks.BaseName(i.path) }
func (i info) Size() int64        { return i.content.size }
func (i info) Mode() fs.FileMode  { return 0o444 }
func (i info) ModTime() time.Time { return i.content.modTime }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }

// Version is the object's ETag or generation.
func (i info) Version() string { return i.content.version }
