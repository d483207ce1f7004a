package load

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// For lines of any length and any reader, the chunks together are the content, in order,
// cut at line ends, and each has the right offset.
func TestChunksOfLinesLoseAndDoubleNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const wanted, longest = 40, 100
		lengths := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 5, 30, 40, 41, longest - 1, longest, longest + 1, 3 * longest}),
			0, 12).Draw(t, "lengths")
		var content bytes.Buffer
		for i, n := range lengths {
			content.WriteString(strings.Repeat(string(rune('a'+i)), n))
			content.WriteByte('\n')
		}
		all := content.Bytes()
		if rapid.Bool().Draw(t, "last line open") && len(all) > 0 {
			all = all[:len(all)-1]
		}
		r := rapid.SampledFrom([]func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r }, iotest.HalfReader, iotest.OneByteReader, iotest.DataErrReader,
		}).Draw(t, "reader")
		s := newSections(r(bytes.NewReader(all)), 1)
		s.wanted, s.longest = wanted, longest
		var at, line int64 = 0, 1
		for {
			sec, err := s.next(nil)
			if errors.Is(err, io.EOF) {
				break
			}
			testkit.Must(t, err)
			whole := all[at : at+sec.size]
			if sec.at != at || sec.line != line || sec.tooLong && !bytes.HasPrefix(whole, sec.data) ||
				!sec.tooLong && !bytes.Equal(whole, sec.data) {
				t.Fatalf("section at %d, line %d, of %d bytes; %d bytes and %d lines were before", sec.at, sec.line, sec.size, at, line-1)
			}
			if long := len(bytes.TrimSuffix(whole, []byte("\n"))) > longest; sec.tooLong && (!long || bytes.Count(whole, []byte("\n")) > 1) {
				t.Errorf("a line of %d bytes is too long: %v", len(whole), sec.tooLong)
			}
			if !bytes.HasSuffix(whole, []byte("\n")) && at+sec.size < int64(len(all)) {
				t.Errorf("a section ends within a line: %q", whole)
			}
			at += sec.size
			line += int64(bytes.Count(whole, []byte("\n")))
		}
		if at != int64(len(all)) {
			t.Errorf("%d of %d bytes", at, len(all))
		}
	})
}

// Loaded chunks are skipped, in a stream that can seek and in one that cannot.
func TestChunksOfLinesSkipLoadedLines(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcde\n"), 3*sectionBytes/16)
	for _, r := range []io.Reader{bytes.NewReader(content), iotest.HalfReader(bytes.NewReader(content))} {
		s := newSections(r, 1)
		if _, err := s.next(nil); err != nil {
			t.Fatal(err)
		}
		testkit.Must(t, skipLoaded(s, &tableload.LoadedSection{At: s.at, LoadCounts: tasks.LoadCounts{Bytes: 16 * 10, Lines: 10}}))
		sec, err := s.next(nil)
		if err != nil || sec.at != sectionBytes+160 || sec.line != sectionBytes/16+11 {
			t.Errorf("section at %d, line %d: %v", sec.at, sec.line, err)
		}
		if err := skipLoaded(s, &tableload.LoadedSection{At: 5}); !errors.Is(err, ErrChanged) {
			t.Errorf("what was loaded begins elsewhere: %v", err)
		}
	}
}

func TestContent(t *testing.T) {
	content := strings.Repeat("{\"a\":1}\n", 100_000)
	packed := map[string][]byte{"plain": []byte(content), "gzip": gzipped(t, content), "zstd": zstandard(t, content)}
	packed["gzip with padding"] = append(append(gzipped(t, content[:80]), make([]byte, 5)...), append(gzipped(t, content[80:]), make([]byte, 512)...)...)
	packed["bzip2"], packed["xz"] = bzip2ed(t, bzip2Whole), xzed(t, content)
	packed["bzip2 twice"] = bzip2ed(t, bzip2First, bzip2Rest)
	packed["xz twice"] = append(append(xzed(t, content[:80]), 0, 0, 0, 0), xzed(t, content[80:])...)
	packed["gzip twice"] = append(gzipped(t, content[:80]), gzipped(t, content[80:])...)
	for name, b := range packed {
		c, err := OpenLines(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := io.ReadAll(c)
		if err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		c.Close()
		if name == "plain" {
			continue
		}
		for what, damaged := range map[string][]byte{
			"cut off": b[:len(b)/2], "turned": append(append(bytes.Clone(b[:len(b)/2]), ^b[len(b)/2]), b[len(b)/2+1:]...), "head only": b[:12],
		} {
			if err := readAll(damaged); !errors.Is(err, ErrCompressed) {
				t.Errorf("%s %s: %v", name, what, err)
			}
		}
	}
}

func readAll(b []byte) error {
	c, err := OpenLines(bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.Copy(io.Discard, c)
	return err
}

func gzipped(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, content)
	testkit.Must(t, w.Close())
	return b.Bytes()
}

func zstandard(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	testkit.Must(t, err)
	io.WriteString(w, content)
	testkit.Must(t, w.Close())
	return b.Bytes()
}

// The output of bzip2 for the content of TestContent, for its first 80 bytes, and for the
// rest.
const (
	bzip2Whole = "QlpoOTFBWSZTWcyrCecFVy/ZgAAQEAAgECAAAAogAHBDABSqMyaCSgsBJQWgkoLQSUFgElBYCSgtBJQXhdyRThQkMyrCecA="
	bzip2First = "QlpoOTFBWSZTWYKvFZ0AACLZgAAQEAAgECAAAAogACCpQzUIYCo1FRUaRqKj4u5IpwoSEFXis6A="
	bzip2Rest  = "QlpoOTFBWSZTWRDLYmMFVwzZgAAQEAAgECAAAAogAHBDABSqMyapEoLFIlBapEoLVIlBYUiUFikSgtUiUF4XckU4UJAQy2Jj"
)

func bzip2ed(t *testing.T, texts ...string) (packed []byte) {
	t.Helper()
	for _, s := range texts {
		b, err := base64.StdEncoding.DecodeString(s)
		testkit.Must(t, err)
		packed = append(packed, b...)
	}
	return packed
}

func xzed(t *testing.T, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := xz.NewWriter(&b)
	testkit.Must(t, err)
	_, err = io.WriteString(w, content)
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	return b.Bytes()
}

func TestCompressionThatIsNotSupported(t *testing.T) {
	for name, head := range map[string]string{
		"lz4": "\x04\x22\x4d\x18rest", "zip": "PK\x03\x04rest", "lzip": "LZIP\x01", "compress": "\x1f\x9d\x90", "7z": "7z\xbc\xaf\x27\x1c",
		"snappy": "\xff\x06\x00\x00sNaPpY",
	} {
		if _, err := OpenLines(strings.NewReader(head)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "compressed with "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c, err := OpenLines(strings.NewReader("BZhello, world")); err != nil || c.Compression != "" {
		t.Errorf("a text: %v", err)
	}
}

// A stream cannot ask for any amount of memory.
func TestXZDictionaryIsBounded(t *testing.T) {
	packed := xzed(t, "{}\n")
	packed[bytes.IndexByte(packed[12:], 0x21)+12+2] = 40 // 4 GiB
	if _, err := OpenLines(bytes.NewReader(packed)); !errors.Is(err, ErrCompressed) || !strings.Contains(err.Error(), "memory") {
		t.Error(err)
	}
}
