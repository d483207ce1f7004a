package bench

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	// pageSamples is how many files workers process before their rows are multiplied.
	pageSamples = 250

	// pagesName is the name of the transfer that is measured.
	pagesName = "pages"

	// pagesRecipe records three results for each file. A file that is gone fails once.
	pagesRecipe = `name: pages
steps:
  - handler: checksum
    batch: {max_items: 128}
    retry: {attempts: 1}
  - handler: identify
    batch: {max_items: 128}
    retry: {attempts: 1}
  - handler: validate
    batch: {max_items: 128}
    retry: {attempts: 1}
`
)

// firstPart is the folder of the samples. The copies have others, of the same length.
const firstPart = "part-000000"

// pageTree is a folder of samples.
type pageTree struct {
	root  string
	files int
	lost  []string // to be removed before they are processed
}

// growPageSamples makes files of several formats. Of 50 files about seven are malformed, in
// different ways, and one is to be lost.
func growPageSamples(root string) (pageTree, error) {
	t := pageTree{root: root, files: pageSamples}
	folder := filepath.Join(root, firstPart)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return t, fmt.Errorf("make samples: %w", err)
	}
	formats, err := sampleFormats()
	if err != nil {
		return t, fmt.Errorf("make samples: %w", err)
	}
	for i := range pageSamples {
		f := formats[i%len(formats)]
		content := f.content
		if i%7 == 3 {
			content = content[:len(content)*2/3]
		}
		if f.text { // files of one format differ
			content = append(bytes.Repeat([]byte("\n"), i/len(formats)%7), content...)
		}
		path := filepath.Join(folder, fmt.Sprintf("item-%04d%s", i, f.extension))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return t, fmt.Errorf("make samples: %w", err)
		}
		if i%50 == 9 {
			t.lost = append(t.lost, path)
		}
	}
	return t, nil
}

type sampleFormat struct {
	extension string
	content   []byte
	text      bool
}

func sampleFormats() ([]sampleFormat, error) {
	picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		picture.Set(i%64, i/64, color.RGBA{R: uint8(i), G: uint8(i / 64), B: uint8(i * 7), A: 255})
	}
	written := func(extension string, write func(io.Writer) error) (sampleFormat, error) {
		var b bytes.Buffer
		err := write(&b)
		return sampleFormat{extension: extension, content: b.Bytes()}, err
	}
	words := strings.Repeat("a line of text that says little\n", 40)
	text := func(extension, content string) sampleFormat {
		return sampleFormat{extension: extension, content: []byte(content), text: true}
	}
	formats := []sampleFormat{
		text(".json", `{"title": "a record", "values": [`+strings.Repeat("1, ", 200)+`0]}`),
		text(".csv", "name,size,date\n"+strings.Repeat("one,2,2026-11-01\n", 60)+"\"the last one\",3,2026-11-02\n"),
		text(".txt", words),
		text(".xml", `<records>`+strings.Repeat("<record><name>one</name></record>\n", 40)+`</records>`),
	}
	for _, f := range []struct {
		extension string
		write     func(io.Writer) error
	}{
		{".png", func(w io.Writer) error { return png.Encode(w, picture) }},
		{".jpg", func(w io.Writer) error { return jpeg.Encode(w, picture, nil) }},
		{".gif", func(w io.Writer) error { return gif.Encode(w, picture, nil) }},
		{".zip", func(w io.Writer) error { return writeZip(w, words) }},
		{".gz", func(w io.Writer) error { return writeGzip(w, words) }},
	} {
		made, err := written(f.extension, f.write)
		if err != nil {
			return nil, err
		}
		formats = append(formats, made)
	}
	return formats, nil
}

func writeZip(w io.Writer, content string) error {
	z := zip.NewWriter(w)
	f, err := z.Create("content.txt")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(f, content); err != nil {
		return err
	}
	return z.Close()
}

func writeGzip(w io.Writer, content string) error {
	z := gzip.NewWriter(w)
	if _, err := io.WriteString(z, content); err != nil {
		return err
	}
	return z.Close()
}
