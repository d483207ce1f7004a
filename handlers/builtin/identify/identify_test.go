package identify

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func pngFile(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	testkit.Must(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))))
	return b.String()
}

func zipFile(t testing.TB, members ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name})
		if err == nil {
			_, err = fmt.Fprintf(w, "the content of %s", name)
		}
		testkit.Must(t, err)
	}
	testkit.Must(t, z.Close())
	return b.String()
}

const pdfFile = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

func TestIdentify(t *testing.T) {
	for _, c := range []struct {
		name, content string
		outcome       tasks.Outcome
		want          map[string]any
	}{
		{"a.png", pngFile(t), tasks.OutcomeSucceeded, map[string]any{"puid": "fmt/11", "format": "Portable Network Graphics", "format_version": "1.0", "mime": "image/png"}},
		{"a.pdf", pdfFile, tasks.OutcomeSucceeded, map[string]any{"puid": "fmt/18", "format": "Acrobat PDF 1.4 - Portable Document Format", "format_version": "1.4", "mime": "application/pdf"}},
		{"a.zip", zipFile(t, "x"), tasks.OutcomeSucceeded, map[string]any{"puid": "x-fmt/263", "format": "ZIP Format", "mime": "application/zip"}},
		{"a.txt", "some text\n", tasks.OutcomeSucceeded, map[string]any{"puid": "x-fmt/111", "format": "Plain Text File", "mime": "text/plain"}},
		{"a.txt", pngFile(t), tasks.OutcomeSucceeded, map[string]any{"puid": "fmt/11", "format": "Portable Network Graphics", "format_version": "1.0", "mime": "image/png", "format_warning": "extension mismatch"}},
		{"nothing", "", tasks.OutcomeWarning, map[string]any{"puid": "UNKNOWN", "format_warning": "no match"}},
		{"junk", "\x00\x01\x02\xfe\xff", tasks.OutcomeWarning, map[string]any{"puid": "UNKNOWN", "format_warning": "no match"}},
	} {
		r, facts := builtintest.Try(t, New(), nil, testkit.WriteFileIn(t, t.TempDir(), c.name, c.content))
		if r.Outcome != c.outcome || !maps.Equal(facts, c.want) {
			t.Errorf("%s: %s %v %s, want %v", c.name, r.Outcome, facts, r.Error, c.want)
		}
		if r.Outcome == tasks.OutcomeWarning && r.Code != CodeUnknownFormat {
			t.Errorf("%s: code %q", c.name, r.Code)
		}
	}
}

func TestIdentifyLooksIntoContainers(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "mimetype"})
	if err == nil {
		_, err = w.Write([]byte("application/epub+zip"))
	}
	if err == nil {
		w, err = z.Create("META-INF/container.xml")
	}
	if err == nil {
		_, err = w.Write([]byte(`<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"/>`))
	}
	testkit.Must(t, errors.Join(err, z.Close()))
	if _, facts := builtintest.Try(t, New(), nil, testkit.WriteFileIn(t, t.TempDir(), "book.epub", b.String())); facts["puid"] != "fmt/483" {
		t.Errorf("got %v", facts)
	}
}

func TestIdentifyInParallelGivesTheSameAnswers(t *testing.T) {
	contents := []string{pngFile(t), pdfFile, zipFile(t, "x", "y"), "some text\n", "", zipFile(t, "word/document.xml")}
	dir := t.TempDir()
	var paths []string
	for i := range 10 * len(contents) {
		paths = append(paths, testkit.WriteFileIn(t, dir, strconv.Itoa(i), contents[i%len(contents)]))
	}
	results, err := handlertest.DryRun{}.Run(t.Context(), New(), paths...)
	testkit.Must(t, err)
	for i, r := range results {
		if first := results[i%len(contents)]; !bytes.Equal(r.Facts, first.Facts) || r.Outcome != first.Outcome {
			t.Errorf("file %d: %s, its twin %s", i, r.Facts, first.Facts)
		}
	}
}

func TestIdentifyReadsNoMoreThanItMay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "giant")
	testkit.Must(t, os.WriteFile(path, nil, 0o600))
	if err := os.Truncate(path, 1<<40); err != nil { // sparse: to read all of it would take hours
		t.Skipf("the file system has no sparse files of this size: %v", err)
	}
	r, facts := builtintest.Try(t, New(), map[string]any{"max_scan": 1 << 20}, path)
	if r.Outcome != tasks.OutcomeWarning || facts["puid"] != "UNKNOWN" ||
		!strings.Contains(fmt.Sprint(facts["format_warning"]), "looked at 1048576 of 1099511627776 bytes") {
		t.Errorf("%s %v", r.Outcome, facts)
	}
}

// Classic QuickTime has its index after the pictures, however large they are.
func TestIdentifyFindsAnIndexAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "film")
	index := "\x00\x00\x00\x74moov\x00\x00\x00\x6cmvhd" + strings.Repeat("\x00", 100)
	const pictures = 1 << 30
	testkit.Must(t, os.WriteFile(path, []byte("\x40\x00\x00\x00mdat"), 0o600))
	testkit.Must(t, os.Truncate(path, pictures))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o600)
	testkit.Must(t, err)
	_, err = f.WriteString(index)
	testkit.Must(t, errors.Join(err, f.Close()))
	r, facts := builtintest.Try(t, New(), map[string]any{"max_scan": "1MiB"}, path)
	if r.Outcome != tasks.OutcomeSucceeded || facts["puid"] != "x-fmt/384" ||
		!strings.Contains(fmt.Sprint(facts["format_warning"]), "looked at the first 32768 and the last 229376 of 1073741940 bytes (max_scan)") {
		t.Errorf("%s %v", r.Outcome, facts)
	}
}

func TestIdentifyArgs(t *testing.T) {
	for text, good := range map[string]bool{`null`: true, `{}`: true, `{"max_scan":1}`: true, `{"max_scan":"4GiB"}`: true, `{"max_scan":"4 apples"}`: false, `{"max_scan":0}`: false, `{"scan":1}`: false,
		`{"algorithms":[]}`: true, `{"algorithms":["sha256","md5"]}`: true, `{"algorithms":["crc32"]}`: false, `{"algorithms":["md5","md5"]}`: false, `{"algorithms":"md5"}`: false} {
		var args any
		testkit.Must(t, json.Unmarshal([]byte(text), &args))
		if _, err := readArgs(args); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestIdentifyOfATimeThatIsOver(t *testing.T) {
	sf, err := signatures()
	testkit.Must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f, err := os.Open(testkit.WriteFileIn(t, t.TempDir(), "a.png", pngFile(t)))
	testkit.Must(t, err)
	defer f.Close()
	if got, err := recogniseFile(ctx, sf, f, 1<<10, "a.png", 1<<20); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", got, err)
	}
}
