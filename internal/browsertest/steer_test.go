package browsertest

import (
	"fmt"
	"strings"
	"testing"

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
		b.click(t, `form:has(input[name=`+of+`]) button`) // Pause
		b.waits(t, `document.querySelector("form:has(input[name=`+of+`]) button").innerText === "Resume"`)
		b.says(t, "paused")
		b.click(t, `form:has(input[name=`+of+`]) button`)
		b.waits(t, `document.querySelector("form:has(input[name=`+of+`]) button").innerText === "Pause"`)
	}
	b.clickText(t, "Drain")
	b.waits(t, `!document.getElementById("away") || !document.getElementById("away").hidden`) // the server has ended
	b.forget()
}
