package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// compared finds many missing files between the transfers of a shelf.
type compared struct {
	shelf   *shelf
	missing int
	wait    chan struct{} // nil: compare at once

	mutex  sync.Mutex
	err    error
	begun  int
	failed error // of a comparison whose context has ended
}

func (c *compared) Earlier(_ context.Context, t tasks.Transfer, _ int) (found []tasks.Transfer, _ error) {
	for _, other := range c.shelf.transfers {
		if other.ID < t.ID {
			found = append(found, other)
		}
	}
	return found, nil
}

func (c *compared) Compare(
	ctx context.Context, from, to tasks.Transfer, read func(), found func(difference) error,
) (counts ledger.Fixity, err error) {
	c.mutex.Lock()
	c.begun++
	err, c.err = c.err, nil
	c.mutex.Unlock()
	if err != nil {
		return counts, err
	}
	read()
	if c.wait != nil {
		select {
		case <-c.wait:
		case <-ctx.Done():
			c.mutex.Lock()
			defer c.mutex.Unlock()
			c.failed = ctx.Err()
			return counts, ctx.Err()
		}
	}
	for i := range c.missing {
		counts.Missing++
		d := difference{Kind: fixity.KindMissing, Path: fmt.Sprintf("<b>%d\x1b[31m", i), Was: tasks.FileKey{Transfer: from.ID, File: int64(i + 1)}}
		if err := found(d); err != nil {
			return counts, err
		}
	}
	counts.Moved, counts.Unchanged, counts.Uncompared = 1, 5, 1
	return counts, found(difference{
		Kind: fixity.KindMoved, Path: "old", To: "new", Was: tasks.FileKey{Transfer: from.ID, File: 7}, Is: tasks.FileKey{Transfer: to.ID, File: 8},
	})
}

func (c *compared) HasOnlyChanges(_ context.Context, t tasks.Transfer) (bool, error) {
	return t.ID == 3, nil
}

func (c *compared) Standing(context.Context, tasks.Transfer) (ledger.Fixity, bool, error) {
	return ledger.Fixity{Damaged: 1, Missing: 2}, true, nil
}

type difference = fixity.Difference

func TestFixityListsDifferencesWithLinks(t *testing.T) {
	s := stocked(3)
	c := &compared{shelf: s, missing: 1000}
	url := serve(t, web.Options{Transfers: s, Results: hostileResults(1), Files: struct{ files }{}, Fixity: c}) + "/transfers/" + s.transfers[0].UUID + "/fixity"
	before := s.transfers[1].UUID
	status, _, body := get(t, url)
	for _, want := range []string{
		`<a class="bad-text" href="/transfers/` + s.transfers[0].UUID + `/fixity?with=` + before + `&amp;kind=missing">1,000</a>`,
		`<a href="/transfers/` + before + `/files/1" data-row><code>&lt;b&gt;0`, `<code>new</code>`, "/transfers/" + s.transfers[0].UUID + "/files/8",
		"1 is damaged and 2 are missing now", "1 unchanged file has no digest", "Transfer 3 has only the files that its run processed", "980 more",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("it lacks %s", want)
		}
	}
	if status != http.StatusOK || strings.Contains(body, "<b>") || strings.Contains(body, "\x1b") || strings.Count(body, "data-row") != 21 {
		t.Errorf("%d: %s", status, body)
	}
	_, _, body = get(t, url+"?with="+s.transfers[2].UUID+"&kind=missing")
	if n := strings.Count(body, "data-row"); n != 300 || !strings.Contains(body, "700 more; &#39;baler diff 1 3&#39; lists all") || strings.Contains(body, "<code>new</code>") {
		t.Errorf("%d rows of one kind\n%.3000s", n, body)
	}
	if c.begun != 2 {
		t.Errorf("compared %d times", c.begun)
	}
	if status, _, body := get(t, url+"?with=nothing"); status != http.StatusNotFound || !strings.Contains(body, "There is no such transfer") {
		t.Errorf("%d for a transfer that does not exist", status)
	}
	if _, _, body := get(t, strings.Replace(url, s.transfers[0].UUID, s.transfers[2].UUID, 1)); !strings.Contains(body, "No earlier transfer of the same folders") {
		t.Errorf("the first transfer is compared: %s", body)
	}
	s.transfers[0].State = tasks.StateRunning
	if _, _, body := get(t, url); !strings.Contains(body, "Nothing to compare yet") {
		t.Errorf("a running transfer is compared: %s", body)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A comparison goes on while no request waits, and begins again after an error.
func TestFixityComparesInTheBackground(t *testing.T) {
	s := stocked(2)
	c := &compared{shelf: s, missing: 1, wait: make(chan struct{}), err: errors.New("the database is away")}
	url := serve(t, web.Options{Transfers: s, Results: hostileResults(1), Files: struct{ files }{}, Fixity: c}) + "/transfers/" + s.transfers[0].UUID + "/fixity"
	if status, _, body := get(t, url); status != http.StatusServiceUnavailable || strings.Contains(body, "Nothing differs") {
		t.Errorf("%d: %s", status, body)
	}
	if _, _, body := get(t, url); !strings.Contains(body, "1 of 20 files read") || !strings.Contains(body, "every 1s") || strings.Contains(body, "Nothing differs") {
		t.Errorf("while it compares: %s", body)
	}
	close(c.wait)
	testkit.Eventually(t, time.Minute, func() error {
		if _, _, body := get(t, url); !strings.Contains(body, "<h2>Missing</h2>") {
			return errors.New(body)
		}
		return nil
	})
	if c.begun != 2 {
		t.Errorf("compared %d times", c.begun)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A server that stops ends its comparisons, and waits for them.
func TestFixityEndsWithItsServer(t *testing.T) {
	t.Parallel()
	s := stocked(2)
	c := &compared{shelf: s, wait: make(chan struct{})}
	d := newDesk(t, func(o *web.Options) {
		o.Transfers, o.Results, o.Files, o.Fixity = s, hostileResults(1), struct{ files }{}, c
	})
	d.ask(http.MethodGet, "/transfers/"+s.transfers[0].UUID+"/fixity", "", bearer("open-sesame"))
	testkit.Must(t, d.Close())
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !errors.Is(c.failed, context.Canceled) {
		t.Errorf("the comparison ended with %v", c.failed)
	}
}
