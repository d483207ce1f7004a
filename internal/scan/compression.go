package scan

import "bytes"

// Compression is how a file is compressed.
type Compression string

// The compressions that DetectCompression detects.
const (
	NoCompression Compression = ""
	Gzip          Compression = "gzip"
	Zstandard     Compression = "zstd"
)

// CompressionHeaderSize is how many of a file's first bytes DetectCompression needs.
const CompressionHeaderSize = 4

// DetectCompression detects a file's compression by its first bytes (RFC 1952,
// section 2.3.1; RFC 8878, sections 3.1.1 and 3.1.2).
func DetectCompression(head []byte) Compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return Gzip
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return Zstandard
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.HasPrefix(head[1:], []byte{0x2a, 0x4d, 0x18}):
		return Zstandard // a skippable frame, as pzstd begins with
	}
	return NoCompression
}
