package bag

import (
	"encoding/hex"
	"hash"

	"github.com/balerhq/baler/handlers/builtin/checksum"
)

// digests computes several digests of what is written to it.
type digests []hash.Hash

// newDigests takes algorithms that checksum knows.
func newDigests(algorithms []string) digests {
	d := make(digests, len(algorithms))
	for i, a := range algorithms {
		d[i] = checksum.NewHash(a)
	}
	return d
}

// Write implements io.Writer.
func (d digests) Write(p []byte) (int, error) {
	for _, h := range d {
		h.Write(p) // never fails
	}
	return len(p), nil
}

// sums are the digests in hexadecimal, in the order of their algorithms.
func (d digests) sums() []string {
	sums := make([]string, len(d))
	for i, h := range d {
		sums[i] = hex.EncodeToString(h.Sum(nil))
	}
	return sums
}
