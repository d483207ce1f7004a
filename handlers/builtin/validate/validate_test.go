package validate

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
)

func encoded(t *testing.T, encode func(b *bytes.Buffer, m image.Image) error) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range m.Pix {
		m.Pix[i] = byte(i * 7)
	}
	var b bytes.Buffer
	testkit.Must(t, encode(&b, m))
	return b.String()
}

func pngOf(t *testing.T) string {
	return encoded(t, func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) })
}

func jpegOf(t *testing.T) string {
	return encoded(t, func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) })
}

// bomb is a PNG of a few bytes that says to have 100,000 × 100,000 pixels.
func bomb() string {
	header := binary.BigEndian.AppendUint32(nil, 100_000)
	header = binary.BigEndian.AppendUint32(header, 100_000)
	header = append(header, 8, 0, 0, 0, 0)
	chunk := append([]byte("IHDR"), header...)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, chunk...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk)))
}

func zipOf(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "a.txt"}) // stored
	testkit.Must(t, err)
	_, err = w.Write([]byte(content))
	testkit.Must(t, err)
	testkit.Must(t, z.Close())
	return b.String()
}

func encryptedZIP(t *testing.T) string {
	b := []byte(zipOf(t, "alpha"))
	b[6] |= 1 // flags of the local header, and of the central one
	b[bytes.Index(b, []byte("PK\x01\x02"))+8] |= 1
	return string(b)
}

func gzipOf(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(content))
	testkit.Must(t, err)
	testkit.Must(t, w.Close())
	return b.String()
}

func pdfOf() string {
	const head = "%PDF-1.4\n"
	objects := []string{"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n", "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
		"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 10 10]/Resources<<>>>>\nendobj\n"}
	var body strings.Builder
	body.WriteString(head)
	var xref strings.Builder
	xref.WriteString("xref\n0 4\n0000000000 65535 f \n")
	for _, o := range objects {
		xref.WriteString(strings.Repeat("0", 10-len(itoa(body.Len()))) + itoa(body.Len()) + " 00000 n \n")
		body.WriteString(o)
	}
	at := itoa(body.Len())
	return body.String() + xref.String() + "trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n" + at + "\n%%EOF\n"
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	cut := func(s string) string { return s[:len(s)*3/4] }
	for _, c := range []struct {
		name, content string
		want          string // outcome and code
		facts         map[string]any
		args          any
	}{
		{name: "a.json", content: `{"a":[1,2,{"b":null}]}`, want: "succeeded"},
		{name: "mark.json", content: "\ufeff" + `{"a":1}`, want: "succeeded"},
		{name: "cut.json", content: `{"a":[1,2`, want: "failed malformed"},
		{name: "empty.json", content: ``, want: "failed malformed"},
		{name: "two.json", content: `{} {}`, want: "failed malformed"},
		{name: "comma.json", content: `[1,]`, want: "failed malformed"},
		{name: "deep.json", content: strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2), want: "warning not-checked"},
		{name: "a.jsonl", content: "{}\n\n[1]\n\"x\"", want: "succeeded"},
		{name: "bad.jsonl", content: "{}\n{\n", want: "failed malformed"},

		{name: "a.xml", content: `<?xml version="1.0"?><a x="1"><b/>text &amp; more</a>`, want: "succeeded"},
		{name: "latin.xml", content: "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>", want: "succeeded"},
		{name: "utf16.xml", content: "\xff\xfe<\x00?\x00x\x00m\x00l\x00 \x00v\x00e\x00r\x00s\x00i\x00o\x00n\x00=\x00'\x001\x00.\x000\x00'\x00 \x00e\x00n\x00c\x00o\x00d\x00i\x00n\x00g\x00=\x00'\x00u\x00t\x00f\x00-\x001\x006\x00'\x00?\x00>\x00<\x00a\x00/\x00>\x00", want: "succeeded"},
		{name: "open.xml", content: `<a><b></a>`, want: "failed malformed"},
		{name: "unclosed.xml", content: `<a>`, want: "failed malformed"},
		{name: "two.xml", content: `<a/><b/>`, want: "failed malformed"},
		{name: "none.xml", content: `<!-- nothing -->`, want: "failed malformed"},
		{name: "text.xml", content: `so <a/>`, want: "failed malformed"},
		{name: "entity.xml", content: `<a>&nope;</a>`, want: "failed malformed"},
		{name: "own.xml", content: `<!DOCTYPE a [<!ENTITY own "x">]><a>&own;</a>`, want: "warning not-checked"},
		{name: "encoding.xml", content: `<?xml version="1.0" encoding="martian"?><a/>`, want: "warning not-checked"},

		{name: "a.csv", content: "a,b\n1,\"x\ny\"\n", want: "succeeded"},
		{name: "semicolon.csv", content: "a;b\n1;2\n", want: "succeeded"},
		{name: "fields.csv", content: "a,b\n1\n", want: "failed malformed"},
		{name: "quote.csv", content: "a,b\n1,\"x\n", want: "failed malformed"},

		{name: "a.png", content: pngOf(t), want: "succeeded"},
		{name: "cut.png", content: cut(pngOf(t)), want: "failed malformed"},
		{name: "text.png", content: "no image", want: "failed malformed"},
		{name: "bomb.png", content: bomb(), want: "warning not-checked"},
		{name: "a.jpg", content: jpegOf(t), want: "succeeded"},
		{name: "cut.JPG", content: cut(jpegOf(t)), want: "failed malformed"},
		{name: "a.gif", content: encoded(t, func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) }), want: "succeeded"},
		{name: "a.bmp", content: encoded(t, func(b *bytes.Buffer, m image.Image) error { return bmp.Encode(b, m) }), want: "succeeded"},
		{name: "a.tif", content: encoded(t, func(b *bytes.Buffer, m image.Image) error { return tiff.Encode(b, m, nil) }), want: "succeeded"},
		{name: "unknown.tif", content: "MM\x00\x2b", facts: map[string]any{"puid": "fmt/1917", "mime": "image/tiff"}, want: "warning not-checked"},
		{name: "pixels.png", content: pngOf(t), args: map[string]any{"max_pixels": 10}, want: "warning not-checked"},

		{name: "a.zip", content: zipOf(t, "alpha"), want: "succeeded"},
		{name: "a.docx", content: zipOf(t, "alpha"), want: "succeeded"},
		{name: "changed.zip", content: strings.Replace(zipOf(t, "alpha"), "alpha", "alphA", 1), want: "failed malformed"},
		{name: "cut.zip", content: cut(zipOf(t, "alpha")), want: "failed malformed"},
		{name: "encrypted.zip", content: encryptedZIP(t), want: "warning encrypted"},
		{name: "large.zip", content: zipOf(t, strings.Repeat("x", 100)), args: map[string]any{"max_unpacked": 99}, want: "warning not-checked"},
		{name: "a.gz", content: gzipOf(t, "alpha"), want: "succeeded"},
		{name: "cut.gz", content: cut(gzipOf(t, strings.Repeat("alpha", 100))), want: "failed malformed"},
		{name: "large.gz", content: gzipOf(t, strings.Repeat("x", 100)), args: map[string]any{"max_unpacked": "99"}, want: "warning not-checked"},

		{name: "a.pdf", content: pdfOf(), want: "succeeded"},
		{name: "cut.pdf", content: pdfOf()[:60], want: "failed malformed"},
		{name: "large.pdf", content: pdfOf(), args: map[string]any{"max_pdf": 10}, want: "warning not-checked"},

		{name: "a.bin", content: "x", want: "skipped no-validator"},
		{name: "mime.bin", content: "{", facts: map[string]any{"mime": "application/ld+json; charset=utf-8"}, want: "failed malformed"},
		{name: "mime.json", content: "<a/>", facts: map[string]any{"mime": "image/svg+xml"}, want: "succeeded"},
		{name: "as.bin", content: "{}", args: map[string]any{"as": "json"}, want: "succeeded"},
		{name: "as.wrong", content: "{}", args: map[string]any{"as": "word"}, want: "failed bad-args"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), c.name)
			testkit.Must(t, os.WriteFile(path, []byte(c.content), 0o600))
			r, err := handlertest.DryRun{Args: c.args, Facts: c.facts}.Run(t.Context(), New(), path)
			testkit.Must(t, err)
			if got := strings.TrimSpace(string(r[0].Outcome) + " " + r[0].Code); got != c.want {
				t.Errorf("%s, want %s: %s", got, c.want, r[0].Error)
			}
			if valid := strings.Contains(string(r[0].Facts), `"valid":true`); valid != (c.want == "succeeded") {
				t.Errorf("%s: %s", c.want, r[0].Facts)
			}
		})
	}
}
