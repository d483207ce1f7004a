package browsertest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/image/tiff"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
)

// archive is a server with what a small archive has, for the pictures in the documentation: its
// recipe of that name waits in the middle of the scans until the file gate exists.
type archive struct{ url, root, gate string }

func serveArchive(t *testing.T) (a archive) {
	t.Helper()
	a.root = filepath.Join(t.TempDir(), "archive")
	if *screenshots != "" {
		a.root = "/tmp/archive" // a path that looks well in a picture
		t.Cleanup(func() { testkit.Must(t, os.RemoveAll("/tmp/archive")) })
	}
	testkit.Must(t, os.Mkdir(a.root, 0o700))
	outputs, recipes := t.TempDir(), t.TempDir()
	a.gate = filepath.Join(recipes, "gate")
	a.fill(t)
	text := fmt.Sprintf(`name: archive
description: Checksums, formats, validation, pictures, and the text of scans.
steps:
  - handler: checksum
  - handler: identify
  - handler: validate
    on_failure: continue
  - handler: thumbnail
    when: facts.mime startsWith "image/"
    with: {to: thumbnails}
    on_failure: continue
  - name: transcribe
    handler: exec
    when: facts.mime == "image/tiff"
    batch: {max_items: 4}
    with:
      command:
        - sh
        - -c
        - |-
          case "$0" in *page-0[4-9]*) while [ ! -e %s ]; do sleep 0.05; done;; esac
          case "$0" in *7.tif) echo "cannot decode $0: strip 17 of 40" >&2; exit 3;; esac
          echo "In the name of God, Amen."
        - ${path}
finally:
  - handler: report
    with: {to: report.html}
`, a.gate)
	testkit.Must(t, os.WriteFile(filepath.Join(recipes, "archive.yaml"), []byte(text), 0o600))
	c, err := config.Load(config.Sources{Env: []string{"BALER_STATE_DIR=" + t.TempDir()}})
	testkit.Must(t, err)
	c.Redis.URL, c.Database.URL = "embedded", "sqlite:"+filepath.Join(t.TempDir(), "baler.db")
	c.Roots, c.Outputs, c.Worker.Recipes, c.Worker.Name = []string{a.root}, []string{outputs}, []string{recipes}, "reading-room"
	a.url = listen(t, c, nil)
	return a
}

// fill makes the files of the archive, of which some are damaged.
func (a *archive) fill(t *testing.T) {
	t.Helper()
	write := func(content []byte, format string, args ...any) {
		path := filepath.Join(a.root, fmt.Sprintf(format, args...))
		testkit.Must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		testkit.Must(t, os.WriteFile(path, content, 0o600))
	}
	for i := 1; i <= 240; i++ {
		write([]byte(strings.Repeat(fmt.Sprintf("Letter %d. Dear reader, the weather is fine.\n", i), i%23+1)), "letters/1911/letter-%03d.txt", i)
	}
	for i := 1; i <= 24; i++ {
		var photo bytes.Buffer
		testkit.Must(t, jpeg.Encode(&photo, landscape(i, 480, 320), nil))
		content := photo.Bytes()
		if i%9 == 0 {
			content = content[:len(content)/2]
		}
		write(content, "photographs/box-12/photo-%02d.jpg", i)
	}
	for i := 1; i <= 12; i++ {
		var plan bytes.Buffer
		testkit.Must(t, png.Encode(&plan, landscape(30+i, 240, 160)))
		write(plan.Bytes(), "maps/harbour-%02d.png", i)
	}
	for i := 1; i <= 60; i++ {
		var scan bytes.Buffer
		testkit.Must(t, tiff.Encode(&scan, landscape(50+i, 60, 80), nil))
		write(scan.Bytes(), "registers/parish/page-%03d.tif", i)
	}
	for i := 1; i <= 32; i++ {
		end := "</ead>"
		if i%16 == 0 {
			end = ""
		}
		write(fmt.Appendf(nil, "<?xml version=\"1.0\"?>\n<ead><eadid>%d</eadid>%s\n", i, end), "finding-aids/aid-%02d.xml", i)
	}
	for i := 1; i <= 40; i++ {
		end := "}"
		if i%8 == 0 {
			end = ""
		}
		write(fmt.Appendf(nil, `{"item": %d, "title": "Minutes"%s`, i, end), "catalogue/item-%02d.json", i)
	}
	write([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"),
		"photographs/box-12/postcard.jpg")
}

// landscape draws hills under a sky.
func landscape(seed, width, height int) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	phase := float64(seed) * 1.7
	for x := range width {
		at := float64(x) / float64(width)
		far := 0.5 + 0.08*math.Sin(at*6+phase) + 0.03*math.Sin(at*17+phase*2)
		near := 0.72 + 0.07*math.Sin(at*4+phase*3) + 0.02*math.Sin(at*23+phase)
		for y := range height {
			down := float64(y) / float64(height)
			shade := color.RGBA{uint8(150 + 90*down), uint8(175 + 40*down), uint8(200 - 30*down), 255}
			switch {
			case down > near:
				shade = color.RGBA{uint8(60 + 7*(seed%5)), uint8(85 + 9*(seed%4)), 62, 255}
			case down > far:
				shade = color.RGBA{112, uint8(125 + 8*(seed%3)), 132, 255}
			}
			picture.Set(x, y, shade)
		}
	}
	return picture
}

// submit makes a transfer with the API.
func (a *archive) submit(t *testing.T, name, recipe, folder string) {
	t.Helper()
	body := fmt.Sprintf(`{"paths": [%q], "recipe": %q, "name": %q}`, filepath.Join(a.root, folder), recipe, name)
	res, err := http.Post(a.url+"/v1/transfers", "application/json", strings.NewReader(body))
	testkit.Must(t, err)
	testkit.Must(t, res.Body.Close())
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("submit %s: %s", name, res.Status)
	}
}

// A person who has never seen a terminal starts a transfer, watches it, understands what failed,
// and takes the report away.
func TestAPersonHandsInAReport(t *testing.T) {
	t.Parallel()
	a := serveArchive(t)
	b := browse(t, a.url)
	b.look(t, 1440, 900, "light")
	a.submit(t, "Letters of 1911", "default", "letters")
	a.submit(t, "Photographs, box 12", "formats", "photographs")
	a.submit(t, "Catalogue", "checksum", "catalogue")
	b.open(t, "/new?path="+a.root)
	b.waits(t, `document.readyState === "complete"`)
	b.run(t, chromedp.SetValue("select[name=recipe]", "archive", chromedp.ByQuery))
	b.says(t, "and the text of scans.")
	b.run(t, chromedp.SendKeys("input[name=name]", "Accession 2026-17", chromedp.ByQuery))
	b.click(t, "#look")
	b.says(t, "409 files")
	b.picture(t, "start")
	b.click(t, "#start")
	b.waits(t, `location.pathname.startsWith("/transfers/")`)
	path := b.value(t, "location.pathname")

	// The scans from page 40 on wait.
	b.waits(t, `[...document.querySelectorAll("tbody tr")].some(r => /^transcribe/.test(r.innerText) && r.querySelector("rect.busy") && r.querySelector(".bad-text"))`)
	b.says(t, "files of transcribe")
	b.says(t, "Files that take long")
	b.fits(t, "a transfer that runs")
	b.picture(t, "running")
	b.look(t, 1440, 900, "dark")
	b.fits(t, "a transfer that runs, dark")
	b.picture(t, "running-dark")
	b.look(t, 1440, 900, "light")
	b.open(t, "/")
	b.waits(t, `document.querySelectorAll("tbody tr").length === 4 && document.querySelectorAll(".state.good").length === 3`)
	b.fits(t, "transfers")
	b.picture(t, "transfers")
	b.look(t, 390, 844, "dark")
	b.picture(t, "transfers-phone")
	b.open(t, path)
	b.says(t, "running")
	b.fits(t, "a transfer that runs on a phone")

	testkit.Must(t, os.WriteFile(a.gate, nil, 0o600))
	b.says(t, "completed with failures")
	b.waits(t, `document.querySelector('a[href*="/outputs/"]')`)
	b.fits(t, "a transfer that ended on a phone")
	b.picture(t, "transfer-phone")
	b.look(t, 1440, 900, "light")
	b.picture(t, "transfer")
	res, err := http.Get(b.value(t, `document.querySelector('a[href*="/outputs/"]').href`))
	testkit.Must(t, err)
	defer res.Body.Close()
	report, err := io.ReadAll(res.Body)
	testkit.Must(t, err)
	if res.StatusCode != http.StatusOK || !strings.Contains(string(report), "Accession 2026-17") {
		t.Errorf("the report: %s\n%.300s", res.Status, report)
	}

	b.open(t, path+"/failures")
	b.says(t, "6 × cannot decode …: strip … of … exit-3")
	b.waits(t, `document.querySelectorAll("tbody tr").length >= 4`)
	b.fits(t, "failures")
	b.picture(t, "failures")
	b.open(t, path+"/formats")
	b.says(t, "Plain Text File")
	b.says(t, "Extensions that do not suit the format")
	b.says(t, "postcard.jpg")
	b.picture(t, "formats")
	b.open(t, path+"/files?q=photo-")
	b.waits(t, `[...document.querySelectorAll(".picture img")].filter(i => i.complete && i.naturalWidth > 0).length >= 8`)
	b.picture(t, "files")
}
