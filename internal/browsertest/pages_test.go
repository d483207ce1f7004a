package browsertest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/balerhq/baler/internal/testkit"
)

// axe is axe-core 4.11.0 as npm has it (MPL 2.0, see testdata/axe-LICENSE): it finds what
// keeps people with disabilities out.
//
//go:embed testdata/axe.min.js
var axe string

// maxWeight is how many bytes a page may take with all that it loads.
const maxWeight = 200 << 10

func TestEveryPageFitsAndIsAccessible(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.openGate(t)
	b := browse(t, s.url)
	b.look(t, 1440, 900, "light")
	path := s.submit(t, b)
	b.says(t, "completed with failures")
	failures := "/failures?kind=1&step=picky&outcome=failed&code=exit-3&message=" + "cannot+decode+%E2%80%A6:+strip+%E2%80%A6+of+%E2%80%A6"
	pages := map[string]string{
		"transfers": "/", "transfer": path, "failures": path + "/failures", "group": path + failures, "results": path + "/results",
		"files": path + "/files", "file": path + "/files/7", "formats": path + "/formats", "fixity": path + "/fixity", "start": "/new", "plan": "/new?look=1&path=" + s.folder,
		"recipes": "/recipes", "recipe": "/recipes/picky", "workers": "/workers", "dead-letters": "/dead-letters", "schedules": "/schedules", "audit": "/audit", "api": "/v1/docs",
		"nothing": "/transfers/x", "outside": "/new?path=/etc",
	}
	for _, look := range []struct {
		width int64
		theme string
	}{{1440, "light"}, {390, "dark"}} {
		b.look(t, look.width, 844, look.theme)
		for name, page := range pages {
			what := fmt.Sprintf("%s at %d pixels, %s", name, look.width, look.theme)
			b.open(t, page)
			if name == "formats" {
				b.says(t, "not identified")
			}
			b.fits(t, what)
			if name == "nothing" || name == "outside" {
				b.forget() // a console notes that the page itself was an error
			}
		}
	}
	// The bars of the wall time have the most tones of all pages: they are looked at in each theme and width.
	for _, look := range []struct {
		width int64
		theme string
	}{{1440, "dark"}, {390, "dark"}, {390, "light"}} {
		b.look(t, look.width, 844, look.theme)
		b.open(t, path)
		b.says(t, "Where the time went")
		b.fits(t, fmt.Sprintf("the wall time at %d pixels, %s", look.width, look.theme))
		b.run(t, chromedp.Evaluate(`[...document.querySelectorAll("h2")].find(h => h.textContent === "Where the time went").scrollIntoView()`, nil))
		b.picture(t, fmt.Sprintf("wall-time-%d-%s", look.width, look.theme))
	}
}

// accessible runs axe-core.
func (b *tab) accessible(t *testing.T, what string) {
	t.Helper()
	var found []byte
	b.run(t, chromedp.Evaluate(axe, nil), chromedp.Evaluate(
		`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.filter(v => v.impact === "serious" || v.impact === "critical")
			.map(v => v.id + " (" + v.help + "): " + v.nodes.slice(0, 3).map(n => n.html + " " + n.failureSummary).join("; "))))`,
		&found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	var text string
	testkit.Must(t, json.Unmarshal(found, &text))
	var violations []string
	testkit.Must(t, json.Unmarshal([]byte(text), &violations))
	for _, v := range violations {
		t.Errorf("%s: %s", what, v)
	}
}

// A page weighs what the browser receives for it, when it has nothing of it yet.
func TestPagesAreLight(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.openGate(t)
	b := browse(t, s.url)
	path := s.submit(t, b)
	b.says(t, "completed with failures")
	for _, page := range []string{path, path + "/failures", path + "/files", "/new"} {
		fresh := browse(t, s.url)
		fresh.open(t, page)
		fresh.waits(t, `document.readyState === "complete"`)
		fresh.mutex.Lock()
		received := fresh.bytes
		fresh.mutex.Unlock()
		if received < 1000 || received > maxWeight {
			t.Errorf("%s weighs %.0f bytes", strings.Replace(page, path, "a transfer", 1), received)
		}
	}
}

func TestThePageSaysThatTheDatabaseIsAwayAndComesBack(t *testing.T) {
	t.Parallel()
	proxy := testkit.Proxy(t, testkit.MySQL(t))
	s := serve(t, proxy.URL())
	b := browse(t, s.url)
	b.open(t, "/")
	b.says(t, "No transfer yet")
	b.waits(t, `document.getElementById("away").hidden`)
	proxy.Down()
	b.waits(t, `!document.getElementById("away").hidden`)
	b.says(t, "No transfer yet") // what was known stays
	proxy.Up()
	b.waits(t, `document.getElementById("away").hidden`)
	b.forget() // a console notes each answer that is an error
	s.steers(t, b)
}
