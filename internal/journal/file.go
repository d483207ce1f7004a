package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/balerhq/baler/internal/diskspace"
)

// Prefix begins the names of journal files.
const Prefix = "baler-journal-"

// Packing says how journal files are compressed.
type Packing string

// The compressions.
const (
	Zstd Packing = "zstd"
	Gzip Packing = "gzip"
	None Packing = "none"
)

// Packings lists all of them.
func Packings() []Packing { return []Packing{Zstd, Gzip, None} }

func (c Packing) extension() string {
	switch c {
	case Zstd:
		return ".jsonl.zst"
	case Gzip:
		return ".jsonl.gz"
	case None:
	}
	return ".jsonl"
}

// open begins a piece of a file that can be read by itself.
func (c Packing) open(w io.Writer) (io.WriteCloser, error) {
	switch c {
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	case Gzip:
		return gzip.NewWriter(w), nil
	case None:
	}
	return nopCloser{w}, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// file is a journal file that this process writes. Each transfer is compressed by itself, so
// that a crash spoils the last one only.
type file struct {
	f           *os.File
	compression Packing
	size        int64 // of the transfers that are complete
}

// create makes a new file: one that a crash has cut off is never continued.
func create(dir, worker string, c Packing, now time.Time) (*file, error) {
	name := Prefix + now.UTC().Format("20060102T150405.000Z") + "-" + clean(worker) + "-" + strings.ToLower(rand.Text()[:8]) + c.extension()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syncFolder(dir); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	return &file{f: f, compression: c}, nil
}

// clean makes a part of a file's name of a worker's name.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' {
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), 64)]
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(diskspace.SyncFolder(d), d.Close())
}

// errMoved says that a file is not any more where it was made.
var errMoved = errors.New("the journal file is no longer in the folder, so what is written to it would be lost")

// isInPlace returns an error unless the name of the file leads to the file: somebody may have
// removed its folder, or may have mounted another one over it.
func (f *file) isInPlace() error {
	here, err := os.Stat(f.f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", errMoved, f.f.Name())
	}
	if err != nil {
		return err
	}
	open, err := f.f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(here, open) {
		return fmt.Errorf("%w: %s is another file", errMoved, f.f.Name())
	}
	return nil
}

// add appends what write writes, and returns when it is on the disk. After an error the file is
// as before, or cannot be used any more; then broken is true.
func (f *file) add(write func(io.Writer) error) (broken bool, err error) {
	end := &counter{w: f.f}
	piece, err := f.compression.open(end)
	if err == nil {
		err = write(piece)
		if closed := piece.Close(); err == nil {
			err = closed
		}
	}
	if err == nil {
		err = f.f.Sync()
	}
	if err == nil {
		if err := f.isInPlace(); err != nil { // after the writing: it may have gone meanwhile
			return true, err
		}
		f.size += end.n
		return false, nil
	}
	if _, undo := f.f.Seek(f.size, io.SeekStart); undo != nil {
		return true, errors.Join(err, undo)
	}
	if undo := f.f.Truncate(f.size); undo != nil {
		return true, errors.Join(err, undo)
	}
	return false, err
}

// close ends the file, and removes it when it has nothing.
func (f *file) close() error {
	inPlace := f.isInPlace() == nil
	err := f.f.Close()
	if f.size == 0 && inPlace {
		err = errors.Join(err, os.Remove(f.f.Name()))
	}
	if err != nil {
		return fmt.Errorf("close journal file: %w", err)
	}
	return nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
