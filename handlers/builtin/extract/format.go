package extract

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"iter"
	"time"
)

// format is a format of archives.
type format struct {
	name     string
	document bool // a document in the form of an archive

	// independent says that a damaged member leaves the others readable.
	independent bool

	members func(in *input) iter.Seq2[*member, error]
}

// kind is what a member is.
type kind string

const (
	regular  kind = "file"
	folder   kind = "folder"
	link     kind = "link"
	hardLink kind = "hard link"
	special  kind = "special file"
)

// kindOf is the kind of a member with a mode.
func kindOf(mode fs.FileMode) kind {
	switch {
	case mode.IsDir():
		return folder
	case mode&fs.ModeSymlink != 0:
		return link
	case mode&fs.ModeType != 0:
		return special
	}
	return regular
}

// member is an entry of an archive.
type member struct {
	raw  string // its name as the archive has it
	name string // as text; empty when raw is to be decoded
	kind kind
	size int64 // as declared; -1 when it is not known
	time time.Time

	target    string // of a link
	encrypted bool

	// open opens the content, once, before the next member is asked for.
	open func() (io.ReadCloser, error)
}

// Signatures at the beginning of files.
const (
	zipSignature      = "PK\x03\x04"
	splitZipSignature = "PK\x07\x08PK\x03\x04" // of the first volume
	emptyZipSignature = "PK\x05\x06"
	tarSignature      = "ustar"
	tarSignatureAt    = 257
	sevenZipSignature = "7z\xbc\xaf\x27\x1c"
	rarSignature      = "Rar!\x1a\x07"
	gzipSignature     = "\x1f\x8b"
	bzip2Signature    = "BZh"
	xzSignature       = "\xfd7zXZ\x00"
	zstdSignature     = "\x28\xb5\x2f\xfd"
)

// headSize holds a header of tar, and the beginning of a document.
const headSize = 512

// detect returns the format of the content, or nil.
func detect(in *input) (*format, error) {
	head := in.head(headSize)
	begins := func(signature string) bool { return bytes.HasPrefix(head, []byte(signature)) }
	switch {
	case begins(splitZipSignature), isLastVolume(in):
		return nil, errVolume("a zip archive", "zip -s 0 a.zip --out whole.zip")
	case isVolume(in, head):
		return nil, errVolume("an archive", "cat a.zip.001 a.zip.002 … > whole.zip")
	case begins(zipSignature), begins(emptyZipSignature):
		return zipFormat(in, head), nil
	case begins(sevenZipSignature):
		return sevenZipFormat(), nil
	case begins(rarSignature):
		return rarFormat(), nil
	case isTar(head):
		return &format{name: "tar", members: func(in *input) iter.Seq2[*member, error] { return tarMembers(in) }}, nil
	}
	if f := detectSelfExtracting(in, head); f != nil {
		return f, nil
	}
	return detectStream(in, head)
}

func zipFormat(in *input, head []byte) *format {
	return &format{name: "zip", document: isDocument(in, head), independent: true, members: zipMembers}
}

func sevenZipFormat() *format {
	return &format{name: "7z", independent: true, members: sevenZipMembers}
}

func rarFormat() *format { return &format{name: "rar", members: rarMembers} }

// isTar reports whether a block is the header of a tar archive: it has a signature, or, in
// the oldest form, a checksum.
func isTar(block []byte) bool {
	if len(block) < headSize {
		return false
	}
	return string(block[tarSignatureAt:tarSignatureAt+len(tarSignature)]) == tarSignature || oldTarChecksum(block)
}

// oldTarChecksum compares the sum of the bytes of a header with the one that it has in octal.
func oldTarChecksum(block []byte) bool {
	const at, length = 148, 8
	sum := int64(0)
	for i, b := range block {
		if at <= i && i < at+length {
			b = ' '
		}
		sum += int64(b)
	}
	said := int64(0)
	digits := bytes.Trim(block[at:at+length], " \x00")
	for _, d := range digits {
		if d < '0' || d > '7' {
			return false
		}
		said = said*8 + int64(d-'0')
	}
	return len(digits) > 0 && block[0] != 0 && sum == said
}

// isDocument reports whether a zip file is a document or a program, by the members that
// such files have: Open Packaging (docx, xlsx …), OpenDocument, EPUB, Java archives and iWork.
func isDocument(in *input, head []byte) bool {
	if firstName(head) == "mimetype" {
		return true
	}
	z, err := zip.NewReader(in, in.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return false // which reading it says
	}
	for _, f := range z.File {
		switch f.Name {
		case "[Content_Types].xml", "META-INF/MANIFEST.MF", "buildVersionHistory.plist", "Metadata/BuildVersionHistory.plist":
			return true
		}
	}
	return false
}

// firstName is the name of the first member of a zip file (APPNOTE.TXT, section 4.3.7).
func firstName(head []byte) string {
	const lengthAt, nameAt = 26, 30
	if len(head) < nameAt {
		return ""
	}
	length := int(binary.LittleEndian.Uint16(head[lengthAt:]))
	return string(head[nameAt:min(nameAt+length, len(head))])
}

// isLastVolume reports whether a zip archive begins in another file: the record at its end,
// which has no comment then, counts volumes from 0 (APPNOTE.TXT, section 4.3.16).
func isLastVolume(in *input) bool {
	const size, volumeAt, zip64 = 22, 4, 0xffff
	end := make([]byte, size)
	if in.size < size {
		return false
	}
	n, _ := in.ReadAt(end, in.size-size) // an error of the system is remembered
	if n < size || !bytes.HasPrefix(end, []byte(emptyZipSignature)) {
		return false
	}
	volume := binary.LittleEndian.Uint16(end[volumeAt:])
	return 0 < volume && volume < zip64
}
