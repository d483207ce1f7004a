package browsertest

import (
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/balerhq/baler/internal/testkit"
)

// submit starts a transfer of the letters from the empty page, and returns its address.
func (s *site) submit(t *testing.T, b *tab) (path string) {
	t.Helper()
	b.open(t, "/")
	b.says(t, "No transfer yet")
	b.clickText(t, "Start the first transfer")
	b.says(t, "letters/")
	b.clickText(t, "letters/")
	b.says(t, "letter-00.txt")
	if text := b.value(t, `document.querySelector("main").innerText`); strings.Contains(text, "way-out") || !strings.Contains(text, `<script>alert(1)<\u202e\u001b[31m.txt`) {
		t.Errorf("the folder is shown as %s", words(text))
	}
	b.waits(t, `document.readyState === "complete"`)                              // the script listens
	b.run(t, chromedp.SetValue("select[name=recipe]", "picky", chromedp.ByQuery)) // the page comes again with its steps
	b.says(t, "Checks letters.")
	b.run(t, chromedp.SendKeys("input[name=name]", "Letters of 1911", chromedp.ByQuery))
	b.click(t, "#look")
	b.says(t, "21 files")
	b.click(t, "#start")
	b.waits(t, `location.pathname.startsWith("/transfers/")`)
	return b.value(t, "location.pathname")
}

func TestAPersonSubmitsWatchesAndRetries(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	b := browse(t, s.url)
	b.look(t, 1440, 900, "light")
	path := s.submit(t, b)
	b.says(t, "running")
	b.says(t, "files of picky") // what the worker is on
	b.run(t, chromedp.Evaluate("window.sameDocument = true", nil))
	s.openGate(t)
	b.says(t, "completed with failures")
	b.says(t, "21 of 21")
	if b.value(t, "window.sameDocument") != "true" {
		t.Error("the page was loaded again")
	}

	other := b.another(t)
	other.look(t, 1440, 900, "light")
	other.open(t, path)
	other.says(t, "completed with failures")

	b.front(t)
	b.run(t, chromedp.Click(`//nav[@aria-label="Of this transfer"]/a[starts-with(., "Failures")]`, chromedp.BySearch))
	b.says(t, "3 ×")
	b.clickText(t, "cannot decode …: strip … of …")
	b.waits(t, `document.querySelectorAll("article").length === 3`)
	b.says(t, "letter-05.txt: strip 17 of 40")

	testkit.Must(t, os.Remove(s.damaged))
	b.click(t, "tbody details.confirm summary")
	b.click(t, "tbody details.confirm[open] button")
	b.says(t, "3 files run again.")
	b.says(t, "No file has failed")
	other.front(t) // a tab that nobody sees asks for nothing; it catches up when somebody does
	other.says(t, "completed")
	other.waits(t, `!document.querySelector("main").innerText.includes("completed with failures")`)

	b.front(t)
	b.run(t, chromedp.Evaluate("history.back()", nil))
	b.waits(t, `location.search.includes("kind=1")`)
	b.says(t, "No failure is like this") // not what was so when the page was left
	b.open(t, path)
	b.says(t, "Failures 0")
	b.open(t, "/")
	b.says(t, "Letters of 1911")
}

func TestAPersonUsesTheKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.openGate(t)
	b := browse(t, s.url)
	b.look(t, 1440, 900, "dark")
	path := s.submit(t, b)
	b.says(t, "completed with failures")
	b.open(t, "/")
	b.says(t, "Letters of 1911")
	b.waits(t, `document.readyState === "complete"`)
	b.run(t, chromedp.KeyEvent("/"))
	b.waits(t, `document.activeElement.name === "q"`)
	b.run(t, chromedp.Evaluate(`document.activeElement.value = ""`, nil), // chromedp types the / as well, a keyboard does not
		chromedp.KeyEvent("letters"+kb.Enter))
	b.waits(t, `location.search.includes("q=letters")`)
	b.says(t, "Letters of 1911")
	b.waits(t, `document.readyState === "complete"`)
	b.run(t, chromedp.KeyEvent("j"))
	b.waits(t, `document.activeElement.hasAttribute("data-row")`)
	b.run(t, chromedp.KeyEvent(kb.Enter))
	b.waits(t, `location.pathname === "`+path+`"`)
	testkit.Must(t, os.Remove(s.damaged))
	b.tabTo(t, "Retry failures…")
	b.run(t, chromedp.KeyEvent(kb.Enter))
	b.tabTo(t, "Retry all failures")
	b.run(t, chromedp.KeyEvent(kb.Enter))
	b.waits(t, `document.querySelector(".figures") && /Failures\s*0/.test(document.querySelector(".figures").innerText)`)
	b.says(t, "21 of 21")
	b.run(t, chromedp.KeyEvent("?"))
	b.waits(t, `document.getElementById("keys").open`)
}

// tabTo presses Tab until what has a text has the focus.
func (b *tab) tabTo(t *testing.T, text string) {
	t.Helper()
	for range 60 {
		b.run(t, chromedp.KeyEvent(kb.Tab))
		if words(b.value(t, "document.activeElement.innerText")) == text {
			return
		}
	}
	t.Fatalf("Tab never reaches %q", text)
}
