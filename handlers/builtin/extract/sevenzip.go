package extract

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"

	"github.com/bodgit/sevenzip"
)

// sevenZipMembers reads a 7z archive.
func sevenZipMembers(in *input) iter.Seq2[*member, error] {
	return func(yield func(*member, error) bool) {
		z, err := sevenzip.NewReader(in, in.size)
		if err != nil {
			if isEncrypted(err) {
				err = errEncrypted
			}
			yield(nil, err)
			return
		}
		in.members = int64(len(z.File))
		for _, f := range z.File {
			in.declare(f.UncompressedSize)
		}
		for i, f := range z.File {
			if !yield(sevenZipMember(f, func(head []byte) bool { return dependsOnPassword(in, i, head) }), nil) {
				return
			}
		}
	}
}

// sevenZipMember describes a member; encrypted tells whether it is that, by how its content begins.
func sevenZipMember(f *sevenzip.File, encrypted func(head []byte) bool) *member {
	m := &member{
		raw: f.Name, kind: kindOf(f.Mode()), size: int64(min(f.UncompressedSize, 1<<62)), time: f.Modified,
		open: func() (io.ReadCloser, error) {
			r, err := f.Open()
			if isEncrypted(err) {
				err = errMemberEncrypted
			}
			if err != nil {
				return nil, err
			}
			return &checked{ReadCloser: r, size: f.UncompressedSize, want: f.CRC32, sum: crc32.NewIEEE(), encrypted: encrypted}, nil
		},
	}
	return m
}

func isEncrypted(err error) bool {
	e, ok := errors.AsType[*sevenzip.ReadError](err)
	return ok && e.Encrypted
}

// checked compares the size and the checksum of a member, which the package leaves to its
// caller.
type checked struct {
	io.ReadCloser

	size uint64
	want uint32 // 0: the archive has none
	sum  hash.Hash32
	n    uint64

	head      []byte // the beginning of the content
	encrypted func(head []byte) bool
}

// headBytes is how much of a content tells whether a password matters.
const headBytes = 64

// dependsOnPassword reports whether a member begins otherwise with another password. The
// format does not say that a password is wrong: what is not compressed decrypts to anything.
func dependsOnPassword(in *input, index int, head []byte) bool {
	z, err := sevenzip.NewReaderWithPassword(in, in.size, "any other than none")
	if err != nil || index >= len(z.File) {
		return false
	}
	r, err := z.File[index].Open()
	if err != nil {
		return isEncrypted(err)
	}
	defer r.Close() // only read from
	other := make([]byte, len(head))
	n, err := io.ReadFull(r, other)
	return isEncrypted(err) || err == nil && !bytes.Equal(other[:n], head)
}

// Read implements io.Reader.
func (c *checked) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	_, _ = c.sum.Write(p[:n]) // it never fails
	c.head = append(c.head, p[:min(n, headBytes-len(c.head))]...)
	c.n += uint64(n)
	switch {
	case isEncrypted(err):
		return n, errMemberEncrypted
	case !errors.Is(err, io.EOF):
		return n, err
	case c.n < c.size:
		return n, fmt.Errorf("%w: %d bytes of %d", io.ErrUnexpectedEOF, c.n, c.size)
	case c.want != 0 && c.sum.Sum32() != c.want && c.encrypted(c.head):
		return n, errMemberEncrypted
	case c.want != 0 && c.sum.Sum32() != c.want:
		return n, fmt.Errorf("the checksum is %08x, not %08x", c.sum.Sum32(), c.want)
	}
	return n, err
}
