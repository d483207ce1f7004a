package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// start starts a transfer of the letters with a recipe, and returns its address.
func (s *site) start(t *testing.T, b *tab, recipe string) (path string) {
	t.Helper()
	b.open(t, "/new")
	b.says(t, "letters/")
	b.clickText(t, "letters/")
	b.says(t, "letter-00.txt")
	b.waits(t, `document.readyState === "complete"`)                             // the script listens
	b.run(t, chromedp.SetValue("select[name=recipe]", recipe, chromedp.ByQuery)) // the page comes again with its steps
	b.waits(t, `location.search.includes("recipe=`+recipe+`") && document.readyState === "complete"`)
	b.click(t, "#look")
	b.says(t, "21 files")
	b.click(t, "#start")
	b.waits(t, `location.pathname.startsWith("/transfers/")`)
	return b.value(t, "location.pathname")
}

// A person approves a step, or rejects it, and sees what becomes of the transfer.
func TestAPersonDecidesOnAStep(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	b := browse(t, s.url)
	b.look(t, 1440, 900, "light")
	s.start(t, b, "careful")
	b.says(t, "waits for approval")
	b.clickText(t, "Approve or reject second…")
	b.run(t, chromedp.SendKeys("#confirm-approve input[name=comment]", "the list is right", chromedp.ByQuery))
	b.fits(t, "the form to approve")
	b.picture(t, "approve")
	b.clickText(t, "Approve")
	b.says(t, "21 of 21")
	b.says(t, "completed")
	b.says(t, "the list is right")
	b.waits(t, `!document.querySelector("#confirm-approve")`)

	s.start(t, b, "careful")
	b.says(t, "waits for approval")
	b.look(t, 390, 844, "dark")
	b.clickText(t, "Approve or reject second…")
	b.run(t, chromedp.SendKeys("#confirm-approve input[name=comment]", "not these", chromedp.ByQuery))
	b.fits(t, "the form to reject")
	b.clickText(t, "Reject")
	b.says(t, "canceled")
	b.says(t, "not these")
	b.waits(t, `!document.querySelector("#confirm-approve")`)
}

// A person changes the weight of a transfer that runs.
func TestAPersonChangesTheWeight(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	b := browse(t, s.url)
	b.look(t, 1440, 900, "dark")
	path := s.start(t, b, "picky")
	b.says(t, "running")
	weight := `document.querySelector("input[name=weight]").value`
	set := func(value string) {
		t.Helper()
		b.clickText(t, "Recipe and settings as they were")
		b.run(t, chromedp.SetValue("input[name=weight]", value, chromedp.ByQuery))
		b.clickText(t, "Set")
	}
	if got := b.value(t, weight); got != "1" {
		t.Errorf("it begins with %s", got)
	}
	set("7")
	b.waits(t, weight+` === "7"`)
	b.open(t, path)
	b.waits(t, weight+` === "7"`)
	s.openGate(t)
	b.says(t, "completed with failures")
	b.waits(t, `!document.querySelector("input[name=weight]")`)
}
