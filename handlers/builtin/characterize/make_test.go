package characterize

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strconv"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// entry is one of an image file directory, see TIFF 6.0, section 2.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte // of more than four bytes: written behind the directory
}

func ascii(tag uint16, text string) entry {
	return entry{tag, 2, uint32(len(text) + 1), append([]byte(text), 0)} //nolint:gosec // short
}

func short(tag, n uint16) entry {
	return entry{tag, 3, 1, append(binary.BigEndian.AppendUint16(nil, n), 0, 0)}
}

func long(tag uint16, n uint32) entry {
	return entry{tag, 4, 1, binary.BigEndian.AppendUint32(nil, n)}
}

func rationals(tag uint16, numbers ...uint32) entry {
	var value []byte
	for _, n := range numbers {
		value = binary.BigEndian.AppendUint32(value, n)
	}
	return entry{tag, 5, uint32(len(numbers) / 2), value} //nolint:gosec // short
}

// directory writes entries that begin at an offset.
func directory(at uint32, entries ...entry) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(entries))) //nolint:gosec // few
	behind := at + uint32(2+12*len(entries)+4)                    //nolint:gosec // few
	var values []byte
	for _, e := range entries {
		b = binary.BigEndian.AppendUint16(b, e.tag)
		b = binary.BigEndian.AppendUint16(b, e.kind)
		b = binary.BigEndian.AppendUint32(b, e.count)
		if len(e.value) <= 4 {
			b = append(b, append(e.value, 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.BigEndian.AppendUint32(b, behind+uint32(len(values))) //nolint:gosec // short
		values = append(values, e.value...)
	}
	return append(binary.BigEndian.AppendUint32(b, 0), values...)
}

// exif is metadata with a place 1000 bytes behind its beginning, and a time 2000 bytes.
func exif(more ...entry) []byte {
	b := append([]byte("MM\x00*"), 0, 0, 0, 8)
	b = append(b, directory(8, append([]entry{
		ascii(0x010f, "Example"), ascii(0x0110, "Example One"), short(0x0112, 6), ascii(0x013b, "Jo Writer"),
		long(0x8769, 2000), long(0x8825, 1000),
	}, more...)...)...)
	b = append(b, make([]byte, max(0, 1000-len(b)))...)
	b = append(b, directory(1000, ascii(1, "N"), rationals(2, 52, 1, 30, 1, 0, 1), ascii(3, "W"), rationals(4, 13, 1, 15, 1, 0, 1))...)
	b = append(b, make([]byte, max(0, 2000-len(b)))...)
	return append(b, directory(2000, ascii(0x9003, "2021:03:04 05:06:07"))...)
}

// withSegments puts segments APP1 behind the beginning of a JPEG of 64 × 32 pixels.
func withSegments(t *testing.T, segments ...string) string {
	t.Helper()
	var b bytes.Buffer
	testkit.Must(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 64, 32)), nil))
	out := []byte("\xff\xd8")
	for _, s := range segments {
		out = append(out, 0xff, 0xe1)
		out = binary.BigEndian.AppendUint16(out, uint16(len(s)+2)) //nolint:gosec // short
		out = append(out, s...)
	}
	return string(append(out, b.Bytes()[2:]...))
}

func exifSegment(more ...entry) string { return "Exif\x00\x00" + string(exif(more...)) }

func xmpSegment(properties string) string {
	return "http://ns.adobe.com/xap/1.0/\x00" + `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ` +
		`xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">` +
		`<rdf:Description xmp:CreatorTool="Hand">` + properties + `</rdf:Description></rdf:RDF></x:xmpmeta>`
}

// bomb is a PNG of a few bytes that says to have 100,000 × 100,000 pixels.
func bomb() string {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, 100_000)
	chunk = binary.BigEndian.AppendUint32(chunk, 100_000)
	chunk = append(chunk, 8, 0, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = binary.BigEndian.AppendUint32(append(b, chunk...), crc32.ChecksumIEEE(chunk))
	end := []byte("IEND")
	return string(binary.BigEndian.AppendUint32(append(append(b, 0, 0, 0, 0), end...), crc32.ChecksumIEEE(end)))
}

func gifOf(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	testkit.Must(t, gif.Encode(&b, image.NewGray(image.Rect(0, 0, 5, 7)), nil))
	return b.String()
}

func pngOf(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	testkit.Must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 9, 3))))
	return b.String()
}

// pdf is a document of some empty pages.
func pdf(pages int, info string) string {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", ""}
	kids := ""
	for range pages {
		objects = append(objects, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>")
		kids += strconv.Itoa(len(objects)) + " 0 R "
	}
	objects[1] = "<</Type/Pages/Count " + strconv.Itoa(pages) + "/Kids[" + kids + "]>>"
	objects = append(objects, "<<"+info+">>")
	text, offsets := "%PDF-1.4\n", ""
	for i, o := range objects {
		at := strconv.Itoa(len(text))
		offsets += "0000000000"[len(at):] + at + " 00000 n \n"
		text += strconv.Itoa(i+1) + " 0 obj" + o + "endobj\n"
	}
	n := strconv.Itoa(len(objects) + 1)
	return text + "xref\n0 " + n + "\n0000000000 65535 f \n" + offsets +
		"trailer<</Size " + n + "/Root 1 0 R/Info " + strconv.Itoa(len(objects)) + " 0 R>>\nstartxref\n" + strconv.Itoa(len(text)) + "\n%%EOF\n"
}
