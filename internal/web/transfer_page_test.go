package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// hostile is a text that must not reach a page as it is.
const hostile = "<script>alert(1)</script>\u202e\x1b[31m"

// found has results and failures of any transfer.
type found struct{ rows []tasks.ResultRow }

func (f found) Results(_ context.Context, _ tasks.Transfer, _ tasks.ResultSelector, after tasks.ResultKey, limit int) (page []tasks.ResultRow, _ error) {
	for i := range f.rows {
		if f.rows[i].Key().Compare(after) > 0 && len(page) < limit {
			page = append(page, f.rows[i])
		}
	}
	return page, nil
}

func (found) Failures(context.Context, tasks.Transfer, tasks.ResultSelector, int) ([]tasks.FailureGroup, error) {
	return []tasks.FailureGroup{{Step: 1, Outcome: tasks.OutcomeFailed, Code: "bad", Message: hostile, Files: 9412, Example: 3, Path: hostile}}, nil
}

func (found) FilesAfter(context.Context, tasks.Transfer, int64, int) ([]tasks.File, error) {
	return nil, nil
}

func (found) Export(_ context.Context, t tasks.Transfer, _ export.Format, _ io.Writer) (api.ExportTotals, error) {
	return api.ExportTotals{State: t.State}, nil
}

func (found) LiveWork(context.Context, tasks.Transfer) (tasks.LiveWork, error) {
	return tasks.LiveWork{Files: []tasks.RunningFile{{
		Worker: hostile, Step: "extract", File: 1, Path: hostile, StartedAt: time.Now(),
		Progress: tasks.Progress{Items: 45_120, OfItems: 100_000, Unit: hostile, Bytes: 1 << 20},
	}}}, nil
}

func (found) FindTransfer(context.Context, string) (tasks.Transfer, error) {
	return tasks.Transfer{}, tasks.ErrTransferNotFound
}

// controls counts what was asked for.
type controls struct{ asked map[string]int }

func (c controls) note(what string) (bool, error) {
	c.asked[what]++
	return true, nil
}
func (c controls) Cancel(context.Context, tasks.Transfer) (bool, error) { return c.note("cancel") }
func (c controls) Pause(context.Context, tasks.Transfer) (bool, error)  { return c.note("pause") }
func (c controls) Resume(context.Context, tasks.Transfer) (bool, error) { return c.note("resume") }
func (c controls) Retry(context.Context, tasks.Transfer, tasks.ResultSelector) (int64, error) {
	_, err := c.note("retry")
	return 1, err
}

func (c controls) CancelFiles(context.Context, tasks.Transfer, tasks.ResultSelector) (int64, error) {
	_, err := c.note("cancel files")
	return 1, err
}

func (c controls) RetryFinalizers(context.Context, tasks.Transfer) (int64, error) {
	_, err := c.note("retry finalizers")
	return 1, err
}

func hostileResults(n int) (f found) {
	for i := range n {
		now := time.Unix(1700000000, 0)
		f.rows = append(f.rows, tasks.ResultRow{Path: hostile, Result: tasks.Result{
			File: int64(i + 1), Step: 1, Outcome: tasks.OutcomeFailed, Error: hostile, Output: strings.Repeat("x", 10<<20),
			Facts: []byte(`{"name":"<b>&"}`), StartedAt: now, EndedAt: now,
		}})
	}
	return f
}

func TestPageOfATransfer(t *testing.T) {
	s := stocked(1)
	s.transfers[0].State, s.transfers[0].Finished = tasks.StateRunning, 5
	s.transfers[0].Name, s.transfers[0].Sources, s.transfers[0].Recipe = hostile, []string{hostile}, hostile
	s.transfers[0].WaitingFor, s.transfers[0].Trouble = hostile, hostile
	s.transfers[0].Finalizers = []tasks.FinalizeStep{{Name: "sums", State: tasks.FinalizeFailed, Error: hostile}}
	c := controls{make(map[string]int)}
	url := serve(t, web.Options{Transfers: s, Results: found{}, Control: c})
	page := url + "/transfers/" + s.transfers[0].UUID
	status, header, body := get(t, page)
	if status != http.StatusOK || strings.Contains(body, "<script>alert") || strings.Contains(body, "\u202e") || strings.Contains(body, "\x1b") {
		t.Errorf("%d, or a text is not escaped:\n%s", status, body)
	}
	for _, want := range []string{`data-events="/v1/transfers/`, "9 succeeded, 1 failed", ">Pause<", "Cancel the transfer", "Retry all failures", `class="bad" x="90.00%"`, "45,120 of 100,000", ", 1.0 MiB"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(body, ">Resume<") || strings.Contains(header.Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("it offers to resume what runs, or its policy is %s", header.Get("Content-Security-Policy"))
	}
	if part := livePart(t, page); strings.Contains(part, "<html") || !strings.Contains(part, "9 succeeded") {
		t.Errorf("the live part is\n%s", part)
	}
	_, _, body = get(t, page+"/failures")
	if strings.Contains(body, "<script>alert") || !strings.Contains(body, "9,412") {
		t.Errorf("the failures are not escaped, or not counted:\n%s", body)
	}
	for _, action := range []string{"pause", "resume", "retry", "cancel"} {
		if got := postFrom(t, page+"/"+action, "same-origin"); got != http.StatusSeeOther || c.asked[action] != 1 {
			t.Errorf("%s: %d, done %d times", action, got, c.asked[action])
		}
		if got := postFrom(t, page+"/"+action, "cross-site"); got != http.StatusForbidden || c.asked[action] != 1 {
			t.Errorf("%s from another site: %d, done %d times", action, got, c.asked[action])
		}
	}
	for path, want := range map[string]int{"/transfers/x": http.StatusNotFound, "/transfers/x/results": http.StatusNotFound} {
		if status, _, body := get(t, url+path); status != want || !strings.Contains(body, "There is no such transfer") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	s.down = errors.New("refused")
	if status, _, body := get(t, page); status != http.StatusServiceUnavailable || !strings.Contains(body, "did not answer") {
		t.Errorf("without a database: %d %s", status, body)
	}
}

// livePart is what htmx gets of a page.
func livePart(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	testkit.Must(t, err)
	req.Header.Set("Hx-Request", "true")
	res, err := http.DefaultClient.Do(req)
	testkit.Must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	testkit.Must(t, err)
	http.DefaultClient.CloseIdleConnections()
	return string(body)
}

// postFrom sends an empty form as a browser does, and follows nothing.
func postFrom(t *testing.T, url, site string) int {
	t.Helper()
	return postForm(t, url, site, nil)
}

func postForm(t *testing.T, to, site string, form url.Values) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", site)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close() // empty
	http.DefaultClient.CloseIdleConnections()
	return res.StatusCode
}

// A user who may only read sees no buttons for changes.
func TestPageWithoutControlOnlyShows(t *testing.T) {
	s := stocked(1)
	url := serve(t, web.Options{Transfers: s, Results: found{}})
	page := url + "/transfers/" + s.transfers[0].UUID
	if _, _, body := get(t, page); strings.Contains(body, `method="post"`) || strings.Contains(body, "data-events") {
		t.Errorf("the page of an ended transfer offers changes, or is followed:\n%s", body)
	}
	if got := postFrom(t, page+"/cancel", "same-origin"); got != http.StatusMethodNotAllowed && got != http.StatusNotFound {
		t.Errorf("cancel: %d", got)
	}
}

func TestResultsInPages(t *testing.T) {
	s := stocked(1)
	url := serve(t, web.Options{Transfers: s, Results: hostileResults(60)})
	page := url + "/transfers/" + s.transfers[0].UUID + "/results"
	status, _, body := get(t, page+"?outcome=failed&step=noop")
	if status != http.StatusOK || strings.Contains(body, "<script>alert") || strings.Contains(body, "\x1b") || len(body) > 2<<20 {
		t.Errorf("%d, not escaped, or %d bytes", status, len(body))
	}
	if n := strings.Count(body, `<th scope="row"`); n != 50 || !strings.Contains(body, "The text is longer") {
		t.Errorf("%d rows", n)
	}
	_, rest, _ := strings.Cut(body, `rel="next" href="`)
	next, _, _ := strings.Cut(rest, `"`)
	_, _, body = get(t, page+strings.ReplaceAll(next, "&amp;", "&"))
	if n := strings.Count(body, `<th scope="row"`); n != 10 || strings.Contains(body, `rel="next"`) {
		t.Errorf("%d rows on the last page", n)
	}
}

func (c controls) Update(_ context.Context, _ tasks.Transfer, change tasks.TransferChange) (bool, error) {
	if change.Deadline != nil {
		return c.note("deadline " + change.Deadline.String())
	}
	return c.note("update")
}

func (c controls) Decide(_ context.Context, _ tasks.Transfer, d tasks.Decision) (string, error) {
	c.asked["decide "+d.Step+" "+d.Comment]++
	return d.Step, nil
}

// The deadline of a transfer is changed on its page, also where it has no weight to change.
func TestDeadlineIsChangedOnThePage(t *testing.T) {
	s := stocked(1)
	s.transfers[0].State, s.transfers[0].Via, s.transfers[0].DeadlineAt = tasks.StateRunning, tasks.ViaGroup, time.Time{}
	c := controls{make(map[string]int)}
	page := serve(t, web.Options{Transfers: s, Results: found{}, Control: c}) + "/transfers/" + s.transfers[0].UUID
	if _, _, body := get(t, page); !strings.Contains(body, `<dd>none<form method="post"`) || strings.Contains(body, `name="weight"`) {
		t.Errorf("no form for the deadline, or one for the weight:\n%s", body)
	}
	for _, f := range []struct {
		deadline, asked string
		status          int
	}{
		{" 6h ", "deadline 6h0m0s", http.StatusSeeOther},
		{"none", "deadline none", http.StatusSeeOther},
		{"2026-05-01T06:00:00+02:00", "deadline 2026-05-01T04:00:00Z", http.StatusSeeOther},
		{"soon", "", http.StatusUnprocessableEntity},
		{"", "", http.StatusUnprocessableEntity},
	} {
		clear(c.asked)
		if got := postForm(t, page+"/update", "same-origin", url.Values{"deadline": {f.deadline}}); got != f.status || f.asked != "" && c.asked[f.asked] != 1 || f.asked == "" && len(c.asked) > 0 {
			t.Errorf("%q: %d, asked for %v", f.deadline, got, c.asked)
		}
	}
	s.transfers[0].State = tasks.StateCanceled
	if _, _, body := get(t, page); strings.Contains(body, `name="deadline"`) {
		t.Error("an ended transfer has a form for its deadline")
	}
}
