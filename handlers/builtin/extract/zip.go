package extract

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"slices"

	"encoding/binary"

	"github.com/klauspost/compress/zstd"

	"github.com/balerhq/baler/internal/decompress"
)

// zipEncrypted and zipUTF8 are bits of a member's flags (APPNOTE.TXT, section 4.4.4).
const (
	zipEncrypted = 1
	zipUTF8      = 0x800
)

// zipMembers reads a zip file by its directory at the end.
func zipMembers(in *input) iter.Seq2[*member, error] {
	return func(yield func(*member, error) bool) {
		z, err := zip.NewReader(in, in.size)
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked later
			if errors.Is(err, zip.ErrFormat) {
				err = fmt.Errorf("%w: the directory at the end is missing", errTruncated)
			}
			yield(nil, err)
			return
		}
		registerMethods(z)
		if err := overlapping(z); err != nil {
			yield(nil, err)
			return
		}
		in.members = int64(len(z.File))
		for _, f := range z.File {
			in.declare(f.UncompressedSize64)
		}
		for _, f := range z.File {
			if !yield(zipMember(f), nil) {
				return
			}
		}
	}
}

func zipMember(f *zip.File) *member {
	m := &member{
		raw: f.Name, kind: kindOf(f.Mode()), size: int64(min(f.UncompressedSize64, 1<<62)), time: f.Modified,
		encrypted: f.Flags&zipEncrypted != 0,
		open: func() (io.ReadCloser, error) {
			r, err := f.Open()
			if errors.Is(err, zip.ErrAlgorithm) {
				err = fmt.Errorf("%w: compression method %d", errUnsupported, f.Method)
			}
			return r, err
		},
	}
	if name, ok := unicodePath(f); ok {
		m.name = name
	} else if f.Flags&zipUTF8 != 0 {
		m.name = f.Name
	}
	return m
}

// unicodePath is the name in a member's Info-ZIP Unicode Path field, if that belongs to the
// name that the member has (APPNOTE.TXT, section 4.6.9).
func unicodePath(f *zip.File) (string, bool) {
	const field, head = 0x7075, 5
	for rest := f.Extra; len(rest) >= 4; {
		id, size := binary.LittleEndian.Uint16(rest), int(binary.LittleEndian.Uint16(rest[2:]))
		if rest = rest[4:]; size > len(rest) {
			return "", false
		}
		data := rest[:size]
		if rest = rest[size:]; id != field || size <= head || data[0] != 1 {
			continue
		}
		if binary.LittleEndian.Uint32(data[1:]) == crc32.ChecksumIEEE([]byte(f.Name)) {
			return string(data[head:]), true
		}
	}
	return "", false
}

// registerMethods adds compression methods to those of the standard library.
func registerMethods(z *zip.Reader) {
	const bzip2, xz = 12, 95
	z.RegisterDecompressor(bzip2, func(r io.Reader) io.ReadCloser { return io.NopCloser(decompress.Bzip2(r)) })
	z.RegisterDecompressor(xz, func(r io.Reader) io.ReadCloser {
		d, err := decompress.XZ(r)
		if err != nil {
			d = failing{err}
		}
		return io.NopCloser(d)
	})
	z.RegisterDecompressor(zstd.ZipMethodWinZip, func(r io.Reader) io.ReadCloser {
		d, closer, err := decompress.Zstd(r)
		if err != nil {
			return io.NopCloser(failing{err})
		}
		return closing{d, closer}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// closing is a reader with what releases it.
type closing struct {
	io.Reader

	release func()
}

// Close implements io.Closer.
func (c closing) Close() error {
	c.release()
	return nil
}

// overlapping refuses an archive in which members share compressed bytes: so a small file
// could unpack to any size.
func overlapping(z *zip.Reader) error {
	type span struct {
		from, to int64
		name     string
	}
	spans := make([]span, 0, len(z.File))
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			continue // opening it says why
		}
		spans = append(spans, span{from, from + int64(min(f.CompressedSize64, 1<<62)), f.Name})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to {
			return fmt.Errorf("%w: members %q and %q", errOverlapping, spans[i-1].name, spans[i].name)
		}
	}
	return nil
}
