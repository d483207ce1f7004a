package extract

import (
	"context"
	"errors"
	"io"
)

// input is an archive that is read at any place. It remembers the first error of the system,
// to tell it from damage: the one is retried, the other is final.
type input struct {
	ctx      context.Context //nolint:containedctx // of one job
	file     io.ReaderAt
	size     int64
	path     string
	progress func()

	members  int64 // how many it has, and to how many bytes they unpack, as its directory says; 0: not known
	unpacked int64

	// pass reads what nobody asked for, within the limits.
	pass func(r io.Reader) error

	start    int64  // where a rar archive begins, behind a program
	trailing string // what stands behind the end of a compressed stream

	at  int64 // of Read
	err error
}

// ReadAt implements io.ReaderAt.
func (in *input) ReadAt(p []byte, off int64) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, in.failed(err)
	}
	n, err := in.file.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, in.failed(err)
	}
	in.progress()
	return n, err
}

// Read implements io.Reader.
func (in *input) Read(p []byte) (int, error) {
	n, err := in.ReadAt(p, in.at)
	in.at += int64(n)
	if n > 0 {
		return n, nil
	}
	return n, err
}

// declare adds the size that a directory gives a member; together they may say anything.
func (in *input) declare(size uint64) {
	const most = 1 << 62
	in.unpacked = int64(min(uint64(in.unpacked)+min(size, most), most))
}

func (in *input) failed(err error) error {
	if in.err == nil {
		in.err = err
	}
	return err
}

// head reads the first bytes.
func (in *input) head(n int) []byte {
	b := make([]byte, n)
	got, _ := in.ReadAt(b, 0) // an error of the system is remembered
	return b[:got]
}
