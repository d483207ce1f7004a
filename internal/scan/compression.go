package scan

import "bytes"

// Compression is how a file is compressed.
type Compression string

// The compressions that DetectCompression detects.
const (
	NoCompression Compression = ""
	Gzip          Compression = "gzip"
	Zstandard     Compression = "zstd"
	Bzip2         Compression = "bzip2"
	XZ            Compression = "xz"
	LZ4           Compression = "lz4" // from here on only detected, so that such files are not read as lines
	Lzip          Compression = "lzip"
	Compress      Compression = "compress"
	Snappy        Compression = "snappy"
	Zip           Compression = "zip"
	SevenZip      Compression = "7z"
)

// CompressionHeaderSize is how many of a file's first bytes DetectCompression needs.
const CompressionHeaderSize = 10

// DetectCompression detects a file's compression by its first bytes.
func DetectCompression(head []byte) Compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}): // RFC 1952, section 2.3.1
		return Gzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878, section 3.1.1
		return Zstandard
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.HasPrefix(head[1:], []byte{0x2a, 0x4d, 0x18}):
		return Zstandard // a skippable frame, as pzstd begins with (section 3.1.2)
	case isBzip2(head):
		return Bzip2
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return XZ
	case bytes.HasPrefix(head, []byte{0x04, 0x22, 0x4d, 0x18}):
		return LZ4
	case bytes.HasPrefix(head, []byte("LZIP")):
		return Lzip
	case bytes.HasPrefix(head, []byte{0x1f, 0x9d}):
		return Compress
	case bytes.HasPrefix(head, []byte("\xff\x06\x00\x00sNaPpY")):
		return Snappy
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return Zip
	case bytes.HasPrefix(head, []byte("7z\xbc\xaf\x27\x1c")):
		return SevenZip
	}
	return NoCompression
}

// isBzip2 looks for the header and the magic number of the first block, or of the end
// of an empty stream: three letters alone may begin a text.
func isBzip2(head []byte) bool {
	if len(head) < 10 || !bytes.HasPrefix(head, []byte("BZh")) {
		return false
	}
	return string(head[4:10]) == "1AY&SY" || string(head[4:10]) == "\x17\x72\x45\x38\x50\x90"
}
