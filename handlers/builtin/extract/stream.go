package extract

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/internal/decompress"
)

// compression is a format of compressed streams.
type compression struct {
	name       string
	signature  string
	extensions []string // of a file with one, and of a tar archive with one
	open       func(r io.Reader) (io.Reader, func(), error)
}

func compressions() []compression {
	return []compression{
		{"gzip", gzipSignature, []string{".gz", ".tgz", ".z"}, func(r io.Reader) (io.Reader, func(), error) {
			d, err := decompress.Gzip(r)
			return d, func() {}, err
		}},
		{"bzip2", bzip2Signature, []string{".bz2", ".tbz2", ".tbz"}, func(r io.Reader) (io.Reader, func(), error) {
			return decompress.Bzip2(r), func() {}, nil
		}},
		{"xz", xzSignature, []string{".xz", ".txz"}, func(r io.Reader) (io.Reader, func(), error) {
			d, err := decompress.XZ(r)
			return d, func() {}, err
		}},
		{"zstd", zstdSignature, []string{".zst", ".tzst"}, decompress.Zstd},
	}
}

// detectStream tells the format of a compressed stream, and whether there is a tar archive
// in it: then that is what is extracted.
func detectStream(in *input, head []byte) (*format, error) {
	for _, c := range compressions() {
		if !bytes.HasPrefix(head, []byte(c.signature)) || c.signature == bzip2Signature && !isBzip2(head) {
			continue
		}
		in.at = 0
		r, release, err := c.open(in)
		if err != nil {
			return nil, err
		}
		block := make([]byte, headSize)
		n, _ := io.ReadFull(r, block) // extracting it says what is wrong
		release()
		in.at = 0
		if isTar(block[:n]) {
			return &format{name: "tar+" + c.name, members: c.tar}, nil
		}
		return &format{name: c.name, members: c.single}, nil
	}
	return nil, nil //nolint:nilnil // most files are no archives
}

// isBzip2 tells bzip2 from a text: after the signature come a digit and the mark of a block,
// or that of an end.
func isBzip2(head []byte) bool {
	if len(head) < 10 || head[3] < '1' || head[3] > '9' {
		return false
	}
	mark := string(head[4:10])
	return mark == "1AY&SY" || mark == "\x17\x72\x45\x38\x50\x90"
}

// tar reads the tar archive in a stream.
func (c *compression) tar(in *input) iter.Seq2[*member, error] {
	return func(yield func(*member, error) bool) {
		r, release, err := c.open(in)
		if err != nil {
			yield(nil, err)
			return
		}
		defer release()
		r = withoutTrailing{r, in}
		for m, err := range tarMembers(r) {
			if !yield(m, err) {
				return
			}
		}
		// Read the data after the archive, too, because the stream's checksum is at its
		// end.
		if _, err := io.Copy(io.Discard, r); err != nil {
			yield(nil, err)
		}
	}
}

// single is the one file in a stream.
func (c *compression) single(in *input) iter.Seq2[*member, error] {
	return func(yield func(*member, error) bool) {
		yield(&member{raw: c.memberName(in), kind: regular, size: -1, time: c.modified(in), open: func() (io.ReadCloser, error) {
			in.at = 0
			r, release, err := c.open(bufio.NewReader(in))
			if err != nil {
				return nil, err
			}
			return closing{withoutTrailing{r, in}, release}, nil
		}}, nil)
	}
}

// withoutTrailing ends where the compressed data ends, and notes that something else follows.
type withoutTrailing struct {
	io.Reader

	in *input
}

// Read implements io.Reader.
func (w withoutTrailing) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if errors.Is(err, decompress.ErrTrailingData) {
		w.in.trailing, err = err.Error(), io.EOF
	}
	return n, err
}

// memberName is the name of the compressed file: the one in a gzip header, else that of the
// archive without its extension.
func (c *compression) memberName(in *input) string {
	if h := c.gzipHeader(in); h != nil && h.Name != "" {
		return filepath.Base(filepath.ToSlash(h.Name)) // gzip itself keeps no path either
	}
	name := filepath.Base(in.path)
	for i, ext := range c.extensions {
		if base, ok := cutExtension(name, ext); ok {
			if i > 0 && ext != ".z" {
				base += ".tar"
			}
			return base
		}
	}
	return name + ".unpacked"
}

// cutExtension removes an extension in any case.
func cutExtension(name, ext string) (string, bool) {
	base := len(name) - len(ext)
	if base <= 0 || !strings.EqualFold(name[base:], ext) {
		return name, false
	}
	return name[:base], true
}
