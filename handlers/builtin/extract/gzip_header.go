package extract

import (
	"io"
	"time"

	"github.com/klauspost/compress/gzip"
)

// gzipHeader is that of a gzip file; nil for other streams.
func (c *compression) gzipHeader(in *input) *gzip.Header {
	if c.signature != gzipSignature {
		return nil
	}
	r, err := gzip.NewReader(io.NewSectionReader(in, 0, in.size))
	if err != nil {
		return nil // extracting it says what is wrong
	}
	defer r.Close() // only read from
	h := r.Header
	// The package decodes names from Latin-1, as RFC 1952 demands; programs write what they have.
	if raw, ok := latin1(h.Name); ok {
		h.Name = raw
	}
	return &h
}

// modified is the modification time in a gzip header; zero when there is none.
func (c *compression) modified(in *input) time.Time {
	if h := c.gzipHeader(in); h != nil && h.ModTime.Unix() > 0 {
		return h.ModTime
	}
	return time.Time{}
}

// latin1 returns the bytes of a text of characters below 256.
func latin1(text string) (string, bool) {
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		raw = append(raw, byte(r))
	}
	return string(raw), true
}
