package bagit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const declarationFile = "bagit.txt"

// version is a version of BagIt.
type version string

// v1 reports whether the rules of RFC 8493 apply, which are stricter than those of the
// drafts.
func (v version) v1() bool { return v == "1.0" }

// infoFile is the file of the bag's metadata.
func (v version) infoFile() string {
	if v == "0.93" || v == "0.94" || v == "0.95" {
		return "package-info.txt"
	}
	return "bag-info.txt"
}

// maxTagFile is the largest tag file, other than a manifest, that is read.
const maxTagFile = 64 << 20

// declaration reads bagit.txt, and reports whether the rest of the bag can be read.
func (b *bag) declaration() bool {
	text, err := b.read(declarationFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b.wrongf(declarationFile, "is missing: the folder is not a bag")
		return false
	case err != nil:
		b.wrongf(declarationFile, "cannot be read: %v", err)
		return false
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		b.wrongf(declarationFile, "begins with a byte order mark")
		return false
	}
	lines := splitLines(string(text))
	if len(lines) < 2 {
		b.wrongf(declarationFile, "does not consist of the two lines BagIt-Version and Tag-File-Character-Encoding")
		return false
	}
	number, ok1 := strings.CutPrefix(lines[0], "BagIt-Version: ")
	encoding, ok2 := strings.CutPrefix(lines[1], "Tag-File-Character-Encoding: ")
	number, encoding = strings.TrimRight(number, " \t"), strings.TrimRight(encoding, " \t")
	if !ok1 || !ok2 || number == "" || encoding == "" || strings.ContainsAny(number+encoding, " \t") {
		b.wrongf(declarationFile, "its lines are not 'BagIt-Version: M.N' and "+
			"'Tag-File-Character-Encoding: NAME', with one blank after the colon")
		return false
	}
	switch number {
	case "0.93", "0.94", "0.95", "0.96", "0.97", "1.0":
	default:
		b.wrongf(declarationFile, "has the unknown version %q; known are 0.93 to 0.97 and 1.0", number)
		return false
	}
	b.version, b.encoding = version(number), encoding
	b.report.Version = number
	if len(lines) > 2 {
		note := b.oddf
		if b.version.v1() {
			note = b.wrongf
		}
		note(declarationFile, "has more than its two lines")
	}
	if _, err := b.decode(nil); err != nil {
		b.wrongf(declarationFile, "%v", err)
		return false
	}
	return true
}

// read reads the bytes of a tag file.
func (b *bag) read(path string) ([]byte, error) {
	f, err := b.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from
	text, err := io.ReadAll(io.LimitReader(f, maxTagFile+1))
	if err == nil && len(text) > maxTagFile {
		err = fmt.Errorf("is larger than %d bytes", maxTagFile)
	}
	return text, err
}

// decode decodes the bytes of a tag file.
func (b *bag) decode(content []byte) (string, error) {
	decoder, err := b.decoder()
	if err != nil {
		return "", err
	}
	text, _, err := transform.Bytes(decoder, content)
	return string(text), err
}

// decoder returns the decoder of tag files. It drops a byte order mark.
func (b *bag) decoder() (transform.Transformer, error) {
	switch strings.ToUpper(b.encoding) {
	case "UTF-8", "UTF8", "US-ASCII", "ASCII":
		return unicode.BOMOverride(transform.Nop), nil
	case "UTF-16": // RFC 2781: big-endian unless a mark says otherwise
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder(), nil
	}
	e, err := ianaindex.IANA.Encoding(b.encoding)
	if err != nil || e == nil {
		return nil, fmt.Errorf("the encoding %q is unknown", b.encoding)
	}
	return e.NewDecoder(), nil
}

// checkEncoding says when a line is not in UTF-8 although the bag declares it; decoders of
// other encodings take any bytes. It says so of the first such line of a file.
func (b *bag) checkEncoding(name string, no int, line string) {
	if utf8.ValidString(line) || b.misencoded[name] {
		return
	}
	if b.misencoded == nil {
		b.misencoded = make(map[string]bool)
	}
	b.misencoded[name] = true
	b.oddf(name, "line %d is not %s, the encoding that bagit.txt declares: %q", no, b.encoding, shorten(line))
}

// splitLines splits a text at LF, CR or CRLF, which all end a line.
func splitLines(text string) []string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
