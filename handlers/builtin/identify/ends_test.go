package identify

import (
	"bytes"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestEndsShowBothEndsAsOneFile(t *testing.T) {
	t.Parallel()
	content := []byte("the beginning, what nobody reads, and the end")
	e := newEnds(bytes.NewReader(content), int64(len(content)), 16)
	want := append(bytes.Clone(content[:2]), content[len(content)-14:]...)
	if e.size() != int64(len(want)) {
		t.Fatalf("size %d, want %d", e.size(), len(want))
	}
	got := make([]byte, len(want))
	for off := range want {
		for n := range len(want) - off + 1 {
			m, err := e.ReadAt(got[:n], int64(off))
			testkit.Must(t, err)
			if m != n || !bytes.Equal(got[:n], want[off:off+n]) {
				t.Errorf("%d bytes at %d: %q, want %q", n, off, got[:m], want[off:off+n])
			}
		}
	}
	broken := newEnds(bytes.NewReader(content[:1]), int64(len(content)), 16)
	if _, err := broken.ReadAt(got, 0); err == nil {
		t.Error("a file that shrank is read without an error")
	}
}
