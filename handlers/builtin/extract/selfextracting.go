package extract

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// stubSearch is how far into a program an archive may begin; the modules of WinRAR, 7-Zip and
// others are shorter. The decoders search as far.
const stubSearch = 1 << 20

// detectSelfExtracting finds the archive behind the program that extracts it; nil when the
// file is another program, or none.
func detectSelfExtracting(in *input, head []byte) *format {
	if !bytes.HasPrefix(head, []byte("MZ")) && !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return nil
	}
	b := in.head(stubSearch)
	if at := find(b, sevenZipSignature, isSevenZip); at > 0 {
		return sevenZipFormat()
	}
	if at := find(b, rarSignature, isRar); at > 0 {
		in.start = int64(at)
		return rarFormat()
	}
	z, err := zip.NewReader(in, in.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) || len(z.File) == 0 {
		return nil
	}
	return zipFormat(in, head)
}

// find returns where an archive begins, or -1. Programs that read archives have their
// signatures as well, so is looks at what follows.
func find(b []byte, signature string, is func(b []byte) bool) int {
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], []byte(signature))
		if i < 0 {
			return -1
		}
		if at += i; is(b[at:]) {
			return at
		}
	}
}

// isSevenZip compares the checksum of the header at the beginning (7zFormat.txt).
func isSevenZip(b []byte) bool {
	const sumAt, from, to = 8, 12, 32
	return len(b) >= to && binary.LittleEndian.Uint32(b[sumAt:]) == crc32.ChecksumIEEE(b[from:to])
}

// isRar compares the checksum of the first block: of the older format, whose signature ends
// with 0, or of version 5.
func isRar(b []byte) bool {
	b = b[len(rarSignature):]
	const oldHeader = 13
	if len(b) >= 1+oldHeader && b[0] == 0 {
		size := int(binary.LittleEndian.Uint16(b[1+5:]))
		return size >= oldHeader && len(b) > size && binary.LittleEndian.Uint16(b[1:]) == uint16(crc32.ChecksumIEEE(b[3:1+size]))
	}
	const sumAt, sizeAt = 2, 6
	if len(b) < sizeAt+1 || b[0] != 1 || b[1] != 0 {
		return false
	}
	size, width := binary.Uvarint(b[sizeAt:min(len(b), sizeAt+3)])
	end := sizeAt + width + int(size)
	return width > 0 && end <= len(b) && binary.LittleEndian.Uint32(b[sumAt:]) == crc32.ChecksumIEEE(b[sizeAt:end])
}
