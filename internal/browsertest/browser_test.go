package browsertest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testservers"
)

func TestMain(m *testing.M) {
	flag.Parse()
	testkit.Main(m)
}

// screenshots is a folder for pictures of the pages; empty: none are made.
var screenshots = flag.String("screenshots", "", "write pictures of the pages to this `FOLDER`")

// browserPath finds a browser, or skips the test.
func browserPath(t *testing.T) string {
	t.Helper()
	path, err := testservers.BrowserBinary()
	if err != nil {
		t.Skip(err)
	}
	return path
}

// patience bounds what one step in the browser may take. It is no expectation: what is
// waited for comes much sooner, or never.
const patience = 45 * time.Second

// tab is a tab of a browser.
type tab struct {
	ctx  context.Context
	base string

	mutex sync.Mutex
	wrong []string // what the console complains about
	bytes float64  // received
}

// browse starts a browser with one tab, which ends with the test. Errors on the console fail
// the test.
func browse(t *testing.T, base string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browserPath(t)), chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-dev-shm-usage", true))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancelTab := chromedp.NewContext(allocator)
	b := &tab{ctx: ctx, base: base}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close the browser: %v", err)
		}
		cancelTab()
		cancel()
	})
	b.listen()
	b.run(t, log.Enable(), network.Enable())
	t.Cleanup(func() { b.checkConsole(t) })
	return b
}

// another opens another tab of the same browser.
func (b *tab) another(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	c := &tab{ctx: ctx, base: b.base}
	c.listen()
	c.run(t, log.Enable())
	t.Cleanup(func() { c.checkConsole(t) })
	return c
}

func (b *tab) listen() {
	chromedp.ListenTarget(b.ctx, func(event any) {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				b.wrong = append(b.wrong, fmt.Sprint(e.Type, " ", string(e.Args[0].Value), e.Args[0].Description))
			}
		case *runtime.EventExceptionThrown:
			b.wrong = append(b.wrong, e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError {
				b.wrong = append(b.wrong, e.Entry.Text+" "+e.Entry.URL)
			}
		case *network.EventLoadingFinished:
			b.bytes += e.EncodedDataLength
		}
	})
}

// forget drops what the console has complained about until now.
func (b *tab) forget() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.wrong = nil
}

func (b *tab) checkConsole(t *testing.T) {
	t.Helper()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, w := range b.wrong {
		t.Errorf("the console says: %s", w)
	}
}

// run does something in the tab.
func (b *tab) run(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if chromedp.FromContext(b.ctx).Target == nil { // a context with a deadline would end the browser
		testkit.Must(t, chromedp.Run(b.ctx))
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatalf("%v; the page shows %.3000s", err, b.text())
	}
}

// front makes the tab the one that a person sees.
func (b *tab) front(t *testing.T) {
	t.Helper()
	b.run(t, page.BringToFront())
}

// open goes to a page.
func (b *tab) open(t *testing.T, path string) {
	t.Helper()
	b.run(t, chromedp.Navigate(b.base+path))
}

// click clicks what a CSS selector finds, when it is visible.
func (b *tab) click(t *testing.T, selector string) {
	t.Helper()
	b.run(t, chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
}

// clickText clicks the link, button or summary with a text. A button that sends a form leads
// to a new page; clickText waits for it: the old page may show what the new one will, and what
// is done there is lost.
func (b *tab) clickText(t *testing.T, text string) {
	t.Helper()
	path := fmt.Sprintf(`//*[self::a or self::button or self::summary][normalize-space(.)=%q]`, text)
	var sends bool
	b.run(t, chromedp.WaitVisible(path, chromedp.BySearch), chromedp.Evaluate(fmt.Sprintf(
		`(e => window.isLeft = Boolean(e && e.matches("form[method=post] button")))(
			document.evaluate(%q, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue)`, path), &sends))
	b.run(t, chromedp.Click(path, chromedp.BySearch, chromedp.NodeVisible))
	if sends {
		b.waits(t, `!window.isLeft && document.readyState === "complete"`)
	}
}

// waits until an expression in the page is true.
func (b *tab) waits(t *testing.T, expression string) {
	t.Helper()
	var last error
	testkit.Eventually(t, patience, func() error { // a new page may come meanwhile, which ends what the old one evaluates
		var yes bool
		if last = chromedp.Run(b.ctx, chromedp.Evaluate("Boolean("+expression+")", &yes)); last == nil && yes {
			return nil
		}
		return fmt.Errorf("%s is not so: %w; the page shows %.3000s", expression, last, b.text())
	})
}

// says waits until the page shows a text.
func (b *tab) says(t *testing.T, text string) {
	t.Helper()
	b.waits(t, fmt.Sprintf(`document.querySelector("main") && document.querySelector("main").innerText.replace(/\s+/g, " ").includes(%q)`, text))
}

// text is what the page shows, as far as it can be had.
func (b *tab) text() (text string) {
	_ = chromedp.Run(b.ctx, chromedp.Evaluate(`document.body.innerText`, &text))
	return words(text)
}

func (b *tab) value(t *testing.T, expression string) (value string) {
	t.Helper()
	b.run(t, chromedp.Evaluate("String("+expression+")", &value))
	return value
}

// look sets the size and the theme.
func (b *tab) look(t *testing.T, width, height int64, theme string) {
	t.Helper()
	b.run(t, emulation.SetDeviceMetricsOverride(width, height, 1, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}))
}

// picture writes a screenshot when they are wanted.
func (b *tab) picture(t *testing.T, name string) {
	t.Helper()
	if *screenshots == "" {
		return
	}
	var png []byte
	b.run(t, chromedp.CaptureScreenshot(&png))
	testkit.Must(t, os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o600))
}

func words(text string) string { return strings.Join(strings.Fields(text), " ") }
