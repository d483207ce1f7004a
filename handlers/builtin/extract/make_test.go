package extract

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/balerhq/baler/internal/testkit"
)

var past = time.Date(2001, time.September, 9, 1, 46, 40, 0, time.UTC)

// entry is a member to make.
type entry struct {
	name, content string
	mode          fs.FileMode
	flags         uint16
	extra         []byte
	nonUTF8       bool
}

func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: past, Flags: e.flags, Extra: e.extra, NonUTF8: e.nonUTF8}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		to, err := w.CreateHeader(h)
		testkit.Must(t, err)
		_, err = io.WriteString(to, e.content)
		testkit.Must(t, err)
	}
	testkit.Must(t, w.Close())
	return b.Bytes()
}

// tarEntry is a member of a tar archive.
type tarEntry struct {
	name, content string
	kind          byte
	target        string
}

func tarOf(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		testkit.Must(t, w.WriteHeader(&tar.Header{
			Name: e.name, Typeflag: e.kind, Linkname: e.target, Size: int64(len(e.content)), Mode: 0o644, ModTime: past, Format: tar.FormatGNU,
		}))
		_, err := io.WriteString(w, e.content)
		testkit.Must(t, err)
	}
	testkit.Must(t, w.Close())
	return b.Bytes()
}

func gzipOf(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.ModTime = name, past
	_, err := w.Write(content)
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	return b.Bytes()
}

func xzOf(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	testkit.Must(t, err)
	_, err = w.Write(content)
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	return b.Bytes()
}

func zstdOf(t testing.TB, content []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	testkit.Must(t, err)
	return w.EncodeAll(content, nil)
}

// rarOf makes a rar archive (version 4) with stored members, as the technical note of unrar
// describes it.
func rarOf(entries ...entry) []byte {
	b := []byte("Rar!\x1a\x07\x00")
	block := func(kind byte, flags uint16, body, data []byte) {
		head := append([]byte{kind}, binary.LittleEndian.AppendUint16(nil, flags)...)
		head = binary.LittleEndian.AppendUint16(head, uint16(7+len(body)))
		head = append(head, body...)
		b = binary.LittleEndian.AppendUint16(b, uint16(crc32.ChecksumIEEE(head)))
		b = append(append(b, head...), data...)
	}
	block(0x73, 0, make([]byte, 6), nil)
	for _, e := range entries {
		size := uint32(len(e.content))
		body := binary.LittleEndian.AppendUint32(nil, size)
		body = binary.LittleEndian.AppendUint32(body, size)
		body = append(body, 3) // made on Unix
		body = binary.LittleEndian.AppendUint32(body, crc32.ChecksumIEEE([]byte(e.content)))
		body = binary.LittleEndian.AppendUint32(body, 0x2b290dd7) // a time of 2001
		body = append(body, 20, 0x30)                             // version 2.0, stored
		body = binary.LittleEndian.AppendUint16(body, uint16(len(e.name)))
		body = binary.LittleEndian.AppendUint32(body, 0o100644)
		block(0x74, 0x8000|e.flags, append(body, e.name...), []byte(e.content))
	}
	block(0x7b, 0x4000, nil, nil)
	return b
}

// rar5 makes rar archives of version 5 with stored members, as the technical note of rarlab
// describes them.
type rar5 struct {
	b     []byte
	solid bool // members go on with the dictionary of the one before
}

func newRar5(archiveFlags byte) *rar5 {
	const solid = 4
	r := &rar5{[]byte("Rar!\x1a\x07\x01\x00"), archiveFlags&solid != 0}
	r.block([]byte{1, 0, archiveFlags}, nil)
	return r
}

func (r *rar5) block(header, data []byte) {
	head := append(binary.AppendUvarint(nil, uint64(len(header))), header...)
	r.b = binary.LittleEndian.AppendUint32(r.b, crc32.ChecksumIEEE(head))
	r.b = append(append(r.b, head...), data...)
}

// member adds a member; split is 8 when it begins in the volume before, 16 when it goes on in
// the next one; then missing bytes are there.
func (r *rar5) member(name, content string, split byte, missing uint64) {
	const hasData, hasSum, unix = 2, 4, 1
	size := uint64(len(content))
	header := binary.AppendUvarint([]byte{2, hasData | split}, size)
	header = binary.AppendUvarint(append(header, hasSum), size+missing)
	header = binary.AppendUvarint(header, 0o100644)
	header = binary.LittleEndian.AppendUint32(header, crc32.ChecksumIEEE([]byte(content)))
	compression := byte(0) // stored
	if r.solid {
		compression |= 0x40
	}
	header = append(header, compression, unix, byte(len(name)))
	r.block(append(header, name...), []byte(content))
}

// end ends the archive, or with 1 the volume.
func (r *rar5) end(flags byte) []byte {
	r.block([]byte{5, 0, flags}, nil)
	return r.b
}
