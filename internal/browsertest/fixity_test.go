package browsertest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/balerhq/baler/internal/testkit"
)

// A person sees what has changed between two transfers of one folder.
func TestAPersonSeesWhatHasChangedSinceTheLastRun(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.openGate(t)
	b := browse(t, s.url)
	b.look(t, 1440, 900, "light")
	first := s.submit(t, b)
	b.says(t, "completed with failures")
	b.open(t, first+"/fixity")
	b.says(t, "No earlier transfer of the same folders")

	at := func(name string) string { return filepath.Join(s.folder, name) }
	was, err := os.Stat(at("letter-00.txt"))
	testkit.Must(t, err)
	testkit.Must(t, os.WriteFile(at("letter-00.txt"), []byte("Dear reaper"), 0o600)) // the same size
	testkit.Must(t, os.Chtimes(at("letter-00.txt"), time.Time{}, was.ModTime()))
	testkit.Must(t, os.WriteFile(at("letter-01.txt"), []byte("Dear reader, dear"), 0o600))
	testkit.Must(t, os.WriteFile(at("letter-20.txt"), []byte("a new one"), 0o600))
	testkit.Must(t, os.Remove(at("letter-02.txt")))
	testkit.Must(t, os.Rename(at("<script>alert(1)<\u202e\x1b[31m.txt"), at("renamed <i>.txt")))

	b.open(t, "/new?path="+s.folder)
	b.run(t, chromedp.SetValue("select[name=recipe]", "picky", chromedp.ByQuery))
	b.says(t, "Checks letters.")
	b.click(t, "#look")
	b.says(t, "21 files")
	b.click(t, "#start")
	b.waits(t, `location.pathname.startsWith("/transfers/") && location.pathname !== "`+first+`"`)
	b.says(t, "completed with failures")
	b.run(t, chromedp.Click(`//nav[@aria-label="Of this transfer"]/a[. = "Fixity"]`, chromedp.BySearch))
	b.says(t, "Damaged 1 Missing 1 Not readable 0 Moved 1 Changed 1 New 1 Unchanged 17")
	page := b.value(t, "location.pathname")
	for _, look := range []struct {
		width int64
		theme string
	}{{1440, "dark"}, {1440, "light"}, {390, "light"}, {390, "dark"}} {
		b.look(t, look.width, 844, look.theme)
		b.open(t, page)
		b.says(t, "letter-00.txt")
		b.says(t, "renamed <i>.txt")
		b.fits(t, "fixity, "+look.theme)
		if b.value(t, `[...document.querySelectorAll("select, .crumb a")].every(e => e.getBoundingClientRect().right <= innerWidth)`) != "true" {
			t.Errorf("something is cut off at %d pixels", look.width)
		}
		b.picture(t, "fixity-"+look.theme+map[bool]string{true: "-phone"}[look.width == 390])
	}
	b.clickText(t, "letter-02.txt") // a missing file is one of the transfer before
	b.waits(t, `location.pathname.startsWith("`+first+`/files/")`)
	b.open(t, page+"?with="+first[len("/transfers/"):]+"&kind=damaged")
	b.says(t, "All differences")
	b.says(t, "letter-00.txt")
	if text := b.value(t, `document.querySelector("main").innerText`); len(text) == 0 || b.value(t, `document.querySelectorAll("tbody tr").length`) != "1" {
		t.Errorf("the damaged files are shown as %s", words(text))
	}
}
