package browsertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/balerhq/baler"
)

// logIn logs in as whoever has a role, and goes to a page.
func (b *tab) logIn(t *testing.T, role baler.Role, path string) {
	t.Helper()
	b.open(t, path)
	b.says(t, "Log in")
	b.run(t, chromedp.SendKeys("#name", string(role), chromedp.ByQuery), chromedp.SendKeys("#password", password+"\n", chromedp.ByQuery))
	b.waits(t, fmt.Sprintf(`location.pathname === %q && document.readyState === "complete"`, path))
}

func (b *tab) logOut(t *testing.T) {
	t.Helper()
	b.clickText(t, "Log out")
	b.waits(t, `location.pathname === "/login" && document.readyState === "complete"`)
}

// offered are the names of what a page lets a person do.
func (b *tab) offered(t *testing.T) []string {
	t.Helper()
	return strings.Split(b.value(t, `[...document.querySelectorAll("main button, main summary, .top a, .top button")].map(e => e.innerText.trim()).join("|")`), "|")
}

// Everybody is offered what their role may do, and what is offered works.
func TestEverybodyIsOfferedWhatTheyMayDo(t *testing.T) {
	t.Parallel()
	s := serveFor(t, "", []baler.Role{baler.RoleViewer, baler.RoleSubmitter, baler.RoleOperator})
	b := browse(t, s.url)
	b.look(t, 1440, 900, "light")
	b.open(t, "/login")
	b.fits(t, "login")
	if got := b.offered(t); !slices.Equal(got, []string{"Log in", "Baler"}) && !slices.Equal(got, []string{"Baler", "Log in"}) {
		t.Errorf("the page to log in offers %q", got)
	}

	b.logIn(t, baler.RoleSubmitter, "/")
	path := s.submit(t, b)
	b.says(t, "running")
	b.without(t, "Pause", "Cancel…", "Audit log")
	b.logOut(t)

	b.logIn(t, baler.RoleOperator, path)
	b.clickText(t, "Pause")
	b.says(t, "paused by operator")
	b.clickText(t, "Resume")
	b.says(t, "resumed by operator")
	s.openGate(t)
	b.says(t, "completed with failures")
	for _, page := range []string{"/", path, path + "/failures", path + "/files/7", "/workers", "/dead-letters", "/schedules", "/audit"} {
		for _, look := range []struct {
			width int64
			theme string
		}{{1440, "dark"}, {390, "light"}} {
			b.look(t, look.width, 844, look.theme)
			b.open(t, page)
			b.fits(t, fmt.Sprintf("%s at %d pixels, %s", strings.Replace(page, path, "transfer", 1), look.width, look.theme))
		}
		b.with(t, "New transfer", "Transfers", "Recipes", "Workers", "Dead letters", "Schedules", "Audit log", "Log out")
	}
	b.look(t, 1440, 900, "light")
	b.open(t, "/workers")
	b.with(t, "Pause", "Drain")
	b.clickText(t, "Pause")
	b.says(t, "Resume")
	b.clickText(t, "Resume")
	b.says(t, "Pause Drain") // the page has come again
	b.run(t, chromedp.SetValue("select[name=scope]", "queue", chromedp.ByQuery), chromedp.SendKeys("form.filters input[name=name]", "low", chromedp.ByQuery),
		chromedp.SendKeys("form.filters input[name=in_flight]", "4", chromedp.ByQuery))
	b.clickText(t, "Set the limit")
	b.says(t, `so it applies to nothing until one does 4 – –`)
	b.picture(t, "limits")
	b.clickText(t, "Remove")
	b.says(t, "There are none.")
	b.open(t, "/schedules")
	b.clickText(t, "Add a schedule…")
	b.run(t, chromedp.SendKeys("input[name=name]", "nightly", chromedp.ByQuery), chromedp.SendKeys("input[name=cron]", "at night", chromedp.ByQuery),
		chromedp.SendKeys("textarea[name=paths]", s.folder, chromedp.ByQuery))
	b.look(t, 390, 844, "dark")
	b.fits(t, "the form of a schedule")
	b.picture(t, "schedule-form-phone")
	b.look(t, 1440, 900, "light")
	b.clickText(t, "Add the schedule")
	b.says(t, "at night")
	b.forget() // a console notes that the form was refused
	b.run(t, chromedp.SetValue("input[name=cron]", "30 2 * * *", chromedp.ByQuery))
	b.clickText(t, "Add the schedule")
	b.says(t, "nightly default 30 2 * * * UTC, skip")
	b.clickText(t, "Remove…")
	b.clickText(t, "Remove nightly")
	b.says(t, "No schedule yet.")
	b.logOut(t)

	b.logIn(t, baler.RoleViewer, path)
	b.says(t, "paused by operator")
	for _, page := range []string{"/", path, path + "/failures", path + "/failures?outcome=failed", path + "/files/7", "/recipes/picky", "/workers", "/dead-letters", "/schedules"} {
		b.open(t, page)
		b.without(t, "New transfer", "Audit log", "Retry failures…", "Retry all…", "Retry these…", "Retry…", "Run again…", "Start a transfer with it", "Pause", "Drain", "Requeue…", "Set the limit", "Add a schedule…")
		b.with(t, "Transfers", "Schedules", "Log out")
	}
	b.open(t, path+"/failures")
	other := b.another(t)
	other.open(t, "/")
	other.logOut(t)
	b.front(t)
	b.waits(t, `location.pathname === "/login"`) // a page that follows a transfer ends with its login
	b.forget()                                   // a console notes what was refused
	b.logIn(t, baler.RoleSubmitter, path+"/failures")
	b.with(t, "Retry all…")
	b.without(t, "Cancel the transfer…", "Audit log")
	b.clickText(t, "Retry all…")
	b.clickText(t, "Retry 3")
	b.says(t, "3 files run again.")
	b.open(t, path)
	b.says(t, "retried by submitter")
}

func (b *tab) with(t *testing.T, names ...string) {
	t.Helper()
	offered := b.offered(t)
	for _, name := range names {
		if !slices.Contains(offered, name) {
			t.Errorf("%s does not offer %q but %q", b.value(t, "location.pathname"), name, offered)
		}
	}
}

func (b *tab) without(t *testing.T, names ...string) {
	t.Helper()
	offered := b.offered(t)
	for _, name := range names {
		if slices.Contains(offered, name) {
			t.Errorf("%s offers %q", b.value(t, "location.pathname"), name)
		}
	}
}

// fits reports when a page is too wide, or keeps people out.
func (b *tab) fits(t *testing.T, what string) {
	t.Helper()
	if over := b.value(t, "Math.max(0, document.documentElement.scrollWidth - innerWidth)"); over != "0" {
		t.Errorf("%s is %s pixels too wide", what, over)
	}
	b.accessible(t, what)
}
