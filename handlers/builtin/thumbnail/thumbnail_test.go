package thumbnail

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
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
	"github.com/balerhq/baler/tasks"
)

// flag is red in its upper left quarter, and blue elsewhere.
func flag(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.RGBA{B: 255, A: 255}
			if x < width/2 && y < height/2 {
				c = color.RGBA{R: 255, A: 255}
			}
			m.Set(x, y, c)
		}
	}
	return m
}

// withOrientation puts an EXIF orientation into a JPEG file (Exif 2.3, tag 0x0112).
func withOrientation(t *testing.T, picture []byte, orientation uint16) []byte {
	t.Helper()
	b := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	b = binary.BigEndian.AppendUint16(b, orientation)
	b = append(b, 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(b)+2))
	return append(append(append([]byte{}, picture[:2]...), append(segment, b...)...), picture[2:]...)
}

func try(t *testing.T, name string, content []byte, args map[string]any) (tasks.Result, string) {
	t.Helper()
	source, to := t.TempDir(), t.TempDir()
	path := filepath.Join(source, name)
	testkit.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	testkit.Must(t, os.WriteFile(path, content, 0o600))
	if args == nil {
		args = map[string]any{}
	}
	if args["to"] == nil {
		args["to"] = to
	}
	r, err := handlertest.DryRun{Args: args, Sources: []string{source}, Outputs: []string{to}}.Run(t.Context(), New(), path)
	testkit.Must(t, err)
	return r[0], to
}

func encode(t *testing.T, m image.Image, with func(*bytes.Buffer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	testkit.Must(t, with(&b, m))
	return b.Bytes()
}

func asJPEG(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) }

func read(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	testkit.Must(t, err)
	defer f.Close()
	m, err := jpeg.Decode(f)
	testkit.Must(t, err)
	return m
}

func TestThumbnailOfEachFormat(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]func(*bytes.Buffer, image.Image) error{
		"sub/a.jpg": asJPEG,
		"a.png":     func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) },
		"a.gif":     func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) },
		"a.bmp":     func(b *bytes.Buffer, m image.Image) error { return bmp.Encode(b, m) },
		"a.tif":     func(b *bytes.Buffer, m image.Image) error { return tiff.Encode(b, m, nil) },
	} {
		r, to := try(t, name, encode(t, flag(400, 200), with), map[string]any{"sizes": []any{100, 50}})
		if r.Outcome != tasks.OutcomeSucceeded || !strings.Contains(string(r.Facts), `"width":400`) || !strings.Contains(string(r.Facts), `"height":200`) {
			t.Errorf("%s: %s %s %s", name, r.Outcome, r.Error, r.Facts)
			continue
		}
		if got := read(t, filepath.Join(to, name+".100.jpg")).Bounds(); got != image.Rect(0, 0, 100, 50) {
			t.Errorf("%s: %v", name, got)
		}
		if got := read(t, filepath.Join(to, name+".50.jpg")).Bounds(); got != image.Rect(0, 0, 50, 25) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Where the red quarter is after each orientation (Exif 2.3, figure of tag 0x0112): the
// stored row 0 and column 0 are at these sides.
func TestOrientation(t *testing.T) {
	t.Parallel()
	picture := encode(t, flag(200, 100), asJPEG)
	for orientation, c := range map[uint16]struct {
		right, lower, turned bool
	}{
		1: {}, 2: {right: true}, 3: {right: true, lower: true}, 4: {lower: true},
		5: {turned: true}, 6: {right: true, turned: true}, 7: {right: true, lower: true, turned: true}, 8: {lower: true, turned: true},
	} {
		r, to := try(t, "a.jpg", withOrientation(t, picture, orientation), nil)
		if r.Outcome != tasks.OutcomeSucceeded {
			t.Fatalf("%d: %s %s", orientation, r.Outcome, r.Error)
		}
		m := read(t, filepath.Join(to, "a.jpg.256.jpg"))
		if (m.Bounds().Dx() == 100) != c.turned {
			t.Errorf("%d: %v", orientation, m.Bounds())
		}
		x, y := m.Bounds().Dx()/4, m.Bounds().Dy()/4
		if c.right {
			x *= 3
		}
		if c.lower {
			y *= 3
		}
		if red, _, blue, _ := m.At(x, y).RGBA(); red < 0xc000 || blue > 0x4000 {
			t.Errorf("%d: %d, %d is %v", orientation, x, y, m.At(x, y))
		}
	}
}

func TestSmallAndTransparentImages(t *testing.T) {
	t.Parallel()
	r, to := try(t, "a.png", encode(t, image.NewNRGBA(image.Rect(0, 0, 3, 1)), func(b *bytes.Buffer, m image.Image) error { return png.Encode(b, m) }), nil)
	if r.Outcome != tasks.OutcomeSucceeded {
		t.Fatal(r.Error)
	}
	m := read(t, filepath.Join(to, "a.png.256.jpg"))
	if red, _, _, _ := m.At(0, 0).RGBA(); m.Bounds() != image.Rect(0, 0, 3, 1) || red < 0xf000 {
		t.Errorf("%v, %v", m.Bounds(), m.At(0, 0))
	}
}

// fax is a TIFF whose colors are of a kind that no decoder knows.
func fax(t *testing.T) []byte {
	t.Helper()
	picture := encode(t, image.NewGray(image.Rect(0, 0, 8, 8)), func(b *bytes.Buffer, m image.Image) error { return tiff.Encode(b, m, nil) })
	entry := binary.LittleEndian.AppendUint16(nil, 262) // PhotometricInterpretation
	at := bytes.LastIndex(picture, entry)
	binary.LittleEndian.PutUint16(picture[at+8:], 6) // YCbCr, in one channel
	return picture
}

func TestWhatIsNoPicture(t *testing.T) {
	t.Parallel()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), 100_000), 100_000)
	header = append(header, 8, 0, 0, 0, 0)
	bomb := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	bomb = binary.BigEndian.AppendUint32(bomb, crc32.ChecksumIEEE(header))
	whole := encode(t, flag(100, 100), asJPEG)
	for name, c := range map[string]struct {
		content []byte
		args    map[string]any
		want    string
	}{
		"text":      {[]byte("text"), nil, "skipped no-image"},
		"empty":     {nil, nil, "skipped no-image"},
		"bomb":      {bomb, nil, "warning too-large"},
		"fax":       {fax(t), nil, "warning unsupported"},
		"cut":       {whole[:len(whole)/2], nil, "failed malformed"},
		"large":     {whole, map[string]any{"max_pixels": 9999}, "warning too-large"},
		"no sizes":  {whole, map[string]any{"sizes": []any{}}, "failed bad-args"},
		"size":      {whole, map[string]any{"sizes": []any{0}}, "failed bad-args"},
		"two sizes": {whole, map[string]any{"sizes": []any{8, 8}}, "failed bad-args"},
		"elsewhere": {whole, map[string]any{"to": "/etc/thumbnails"}, "failed outside-outputs"},
	} {
		r, to := try(t, "a", c.content, c.args)
		if got := strings.TrimSpace(string(r.Outcome) + " " + r.Code); got != c.want {
			t.Errorf("%s: %s, want %s: %s", name, got, c.want, r.Error)
		}
		if entries, err := os.ReadDir(to); err != nil || len(entries) != 0 {
			t.Errorf("%s left %v, %v", name, entries, err)
		}
	}
}
