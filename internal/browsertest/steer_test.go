package browsertest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/testkit"
)

// steers requeues and discards dead letters of a real queue, pauses and resumes the queue and
// the worker, and drains the worker, all on pages. The server ends with its worker.
func (s *site) steers(t *testing.T, b *tab) {
	t.Helper()
	opt, err := asynq.ParseRedisURI(s.redis)
	testkit.Must(t, err)
	client := asynq.NewClient(opt)
	testkit.CloseAtEnd(t, client)
	_, err = client.EnqueueContext(t.Context(), asynq.NewTask("email", []byte("dear <script>alert(1)</script> reader")))
	testkit.Must(t, err)
	b.look(t, 1440, 900, "light")
	letter := func(number string) {
		t.Helper()
		testkit.Eventually(t, patience, func() error { // the page of dead letters does not follow
			b.open(t, "/dead-letters")
			if !strings.Contains(b.text(), number+" · email") {
				return fmt.Errorf("there is no letter %s: %.300s", number, b.text())
			}
			return nil
		})
	}
	letter("1")
	b.clickText(t, "Content")
	b.says(t, "dear <script>alert(1)</script> reader")
	b.clickText(t, "Requeue…")
	b.click(t, `#l-1 button[value=requeue]`)
	b.waits(t, `!document.querySelector("#l-1")`)
	letter("2") // the message came to a worker, which still cannot read it
	b.fits(t, "a dead letter")
	b.clickText(t, "Discard…")
	b.click(t, `#l-2 button[value=discard]`)
	b.says(t, "There are none")

	b.open(t, "/workers")
	for _, of := range []string{"queue", "worker"} {
		press := func() { // at once: the page puts other nodes in their place every three seconds
			b.run(t, chromedp.Evaluate(`document.querySelector("form:has(input[name=`+of+`]) button").click()`, nil))
		}
		press() // Pause
		b.waits(t, `document.querySelector("form:has(input[name=`+of+`]) button").innerText === "Resume"`)
		b.says(t, "paused")
		press()
		b.waits(t, `document.querySelector("form:has(input[name=`+of+`]) button").innerText === "Pause"`)
	}
	b.run(t, chromedp.Evaluate(`document.querySelector("button[value=drain]").click()`, nil))
	testkit.Eventually(t, patience, func() error {
		res, err := http.Get(s.url + "/healthz")
		if err != nil {
			return nil //nolint:nilerr // it has ended
		}
		return errors.Join(errors.New("the server still answers"), res.Body.Close())
	})
	b.run(t, chromedp.Navigate("about:blank"))
	b.forget() // a console notes what a page could not load any more
}
