package identify

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

func TestWindowSlicesLikeTheWholeFile(t *testing.T) {
	content := make([]byte, 5*blockSize+123)
	for i := range content {
		content[i] = byte(i >> 8 * 31)
		content[i] ^= byte(i)
	}
	rapid.Check(t, func(t *rapid.T) {
		all := content[:rapid.SampledFrom([]int{1, 8, 4096, blockSize, blockSize + 1, len(content)}).Draw(t, "size")]
		w := newWindow(t.Context(), bytes.NewReader(all), int64(len(all)), 1<<40)
		for range 20 {
			off := rapid.IntRange(0, len(all)+10).Draw(t, "off")
			n := rapid.IntRange(0, 2*blockSize).Draw(t, "n")
			var want []byte
			wantEOF := off >= len(all) || off+n > len(all)
			fromEnd := rapid.Bool().Draw(t, "from the end")
			slice := w.Slice
			if off < len(all) {
				want = all[off:min(off+n, len(all))]
				if fromEnd {
					slice = w.EofSlice
					want = all[max(len(all)-off-n, 0) : len(all)-off]
				}
			}
			got, err := slice(int64(off), n)
			if !bytes.Equal(got, want) || errors.Is(err, io.EOF) != wantEOF || err != nil && !wantEOF {
				t.Fatalf("%d bytes at %d: %d bytes, %v; want %d, end %v", n, off, len(got), err, len(want), wantEOF)
			}
		}
		if err := w.failure(); err != nil || w.cut() {
			t.Fatalf("failed: %v", err)
		}
	})
}

func TestWindowTellsAFileThatShrank(t *testing.T) {
	w := newWindow(t.Context(), bytes.NewReader([]byte("short")), 100, 1<<20)
	if p, err := w.Slice(0, 8); err == nil || p != nil {
		t.Errorf("got %q", p)
	}
	v, ok := errors.AsType[*handlers.Verdict](w.failure())
	if !ok || v.Outcome != tasks.OutcomeError || v.Code != handlers.CodeChangedWhileReading {
		t.Errorf("got %v", w.failure())
	}
}

func TestWindowStopsAtItsLimit(t *testing.T) {
	content := make([]byte, 10*blockSize)
	w := newWindow(t.Context(), bytes.NewReader(content), int64(len(content)), 2*blockSize)
	for i := range int64(10) {
		_, err := w.Slice(i*blockSize, 4096)
		if past := i >= 2; (err != nil) != past {
			t.Errorf("block %d: %v", i, err)
		}
	}
	if w.failure() != nil || !w.cut() {
		t.Errorf("failure %v, cut %v", w.failure(), w.cut())
	}
	if _, err := w.Slice(0, 4096); err != nil {
		t.Errorf("what was read is gone: %v", err)
	}
}

func TestWindowKeepsEachSliceUntilItIsReleased(t *testing.T) {
	contents := make([]byte, 9*blockSize)
	for i := range contents {
		contents[i] = byte(i / blockSize)
	}
	for range 3 { // the second and the third take the memory of the one before
		w := newWindow(t.Context(), bytes.NewReader(contents), int64(len(contents)), 1<<40)
		var slices [][]byte
		for at := int64(0); at < int64(len(contents)); at += blockSize {
			p, err := w.Slice(at, 4096)
			if err != nil {
				t.Fatal(err)
			}
			slices = append(slices, p)
		}
		for i, p := range slices {
			if !bytes.Equal(p, bytes.Repeat([]byte{byte(i)}, 4096)) {
				t.Errorf("the slice of block %d has changed: it begins with %d", i, p[0])
			}
		}
		w.release()
		if _, err := w.Slice(0, 8); err == nil || len(w.blocks[0].data) > 0 {
			t.Error("a window reads after its release")
		}
	}
}
