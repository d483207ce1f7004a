package browsertest

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// addPictures makes a folder with two images and a text beside the letters.
func (s *site) addPictures(t *testing.T) (folder string) {
	t.Helper()
	folder = filepath.Join(filepath.Dir(s.folder), "pictures")
	testkit.Must(t, os.Mkdir(folder, 0o700))
	for _, name := range []string{"a.png", "b.png"} {
		picture := image.NewRGBA(image.Rect(0, 0, 400, 300))
		for x := range 400 {
			for y := range 300 {
				picture.Set(x, y, color.RGBA{uint8(x), uint8(y), 90, 255})
			}
		}
		f, err := os.Create(filepath.Join(folder, name))
		testkit.Must(t, err)
		testkit.Must(t, png.Encode(f, picture))
		testkit.Must(t, f.Close())
	}
	testkit.Must(t, os.WriteFile(filepath.Join(folder, "c.txt"), []byte("no picture"), 0o600))
	return folder
}

// A file shows the thumbnail that a step has made. What is in its place later is shown only if
// it is a JPEG within the folders that the server may read.
func TestAPersonSeesThumbnails(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	folder := s.addPictures(t)
	body := fmt.Sprintf(`{"paths": [%q], "recipe": "pictures", "name": "Pictures"}`, folder)
	res, err := http.Post(s.url+"/v1/transfers", "application/json", strings.NewReader(body))
	testkit.Must(t, err)
	testkit.Must(t, res.Body.Close())
	b := browse(t, s.url)
	b.look(t, 1440, 900, "light")
	b.open(t, "/")
	b.clickText(t, "Pictures")
	b.says(t, "completed")
	path := b.value(t, "location.pathname")
	b.open(t, path+"/files")
	b.waits(t, `[...document.querySelectorAll(".picture img")].filter(i => i.complete && i.naturalWidth === 256).length === 2`)
	b.fits(t, "files with thumbnails")
	b.open(t, path+"/files/1")
	b.waits(t, `document.querySelector(".thumbnail").naturalHeight === 192`)
	b.fits(t, "a file with a thumbnail")
	b.look(t, 390, 844, "dark")
	b.open(t, path+"/files")
	b.fits(t, "files with thumbnails on a phone")

	wantThumbnail := func(what, no string, status int) {
		t.Helper()
		res, err := http.Get(s.url + path + "/files/" + no + "/thumbnail")
		testkit.Must(t, err)
		defer res.Body.Close()
		content, err := io.ReadAll(res.Body)
		testkit.Must(t, err)
		if res.StatusCode != status {
			t.Errorf("%s: %d, want %d", what, res.StatusCode, status)
		}
		jpeg := res.Header.Get("Content-Type") == "image/jpeg" && strings.HasPrefix(string(content), "\xff\xd8\xff")
		if res.Header.Get("X-Content-Type-Options") != "nosniff" || jpeg != (status == http.StatusOK) || strings.Contains(string(content), "secret") {
			t.Errorf("%s: %v\n%.200q", what, res.Header, content)
		}
		if policy := res.Header.Get("Content-Security-Policy"); jpeg && policy != "default-src 'none'; sandbox" {
			t.Errorf("%s: the policy is %q", what, policy)
		}
	}
	wantThumbnail("a picture", "1", http.StatusOK)
	wantThumbnail("a text", "3", http.StatusNotFound)
	wantThumbnail("no file", "4", http.StatusNotFound)
	wantThumbnail("no number", "x", http.StatusNotFound)
	thumbs := filepath.Join(filepath.Dir(s.folder), "thumbs")
	made, err := filepath.Glob(filepath.Join(thumbs, "*a.png.256.jpg"))
	testkit.Must(t, err)
	if len(made) != 1 {
		t.Fatalf("made are %q", made)
	}
	content, err := os.ReadFile(made[0])
	testkit.Must(t, err)
	outside := filepath.Join(t.TempDir(), "outside.jpg")
	testkit.Must(t, os.WriteFile(outside, content, 0o600))
	for what, put := range map[string]func() error{
		"a page": func() error { return os.WriteFile(made[0], []byte("<script>secret</script>"), 0o600) },
		"a large file": func() error {
			return os.WriteFile(made[0], append(slices.Clip(content), make([]byte, 5<<20)...), 0o600)
		},
		"a link out": func() error { return os.Symlink(outside, made[0]) },
		"nothing":    func() error { return nil },
	} {
		if err := os.Remove(made[0]); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		testkit.Must(t, put())
		wantThumbnail(what, "1", http.StatusNotFound)
	}
}
