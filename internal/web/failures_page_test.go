package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// retried notes what is to be run again.
type retried struct {
	controls

	filters, canceled []tasks.ResultSelector
}

func (r *retried) CancelFiles(_ context.Context, _ tasks.Transfer, f tasks.ResultSelector) (int64, error) {
	r.canceled = append(r.canceled, f)
	return 3, nil
}

func (r *retried) Retry(_ context.Context, _ tasks.Transfer, f tasks.ResultSelector) (int64, error) {
	r.filters = append(r.filters, f)
	return 9412, nil
}

// A button runs what stands beside it, and nothing else.
func TestFailuresAreRunAgainByKind(t *testing.T) {
	s := stocked(1)
	c := &retried{controls: controls{make(map[string]int)}}
	page := serve(t, web.Options{Transfers: s, Results: hostileResults(30), Control: c}) + "/transfers/" + s.transfers[0].UUID
	_, _, body := get(t, page+"/failures")
	if strings.Contains(body, "<article") || !strings.Contains(body, "9,412 ×") || !strings.Contains(body, "Retry 9,412") {
		t.Errorf("the groups are\n%s", body)
	}
	kind := url.Values{"step": {"noop"}, "outcome": {"failed"}, "kind": {"1"}, "code": {""}, "message": {""}}
	status, _, body := get(t, page+"/failures?"+kind.Encode())
	if n := strings.Count(body, "<article"); status != http.StatusOK || n != 20 || strings.Contains(body, "<script>alert") || len(body) > 1<<20 {
		t.Errorf("%d: %d examples in %d bytes", status, n, len(body))
	}
	for _, form := range []url.Values{kind, {"file": {"7"}, "step": {"noop"}}, {"step": {"other"}}, {}} {
		form.Set("back", "failures")
		res, err := http.DefaultTransport.RoundTrip(formRequest(t, page+"/retry", form))
		testkit.Must(t, err)
		testkit.Must(t, res.Body.Close())
		if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || !strings.HasSuffix(to, "/failures?retried=9412") {
			t.Errorf("%v leads to %q with %d", form, to, res.StatusCode)
		}
	}
	want := []tasks.ResultSelector{
		{Step: 1, Outcomes: []tasks.Outcome{tasks.OutcomeFailed}, Exactly: true}, {Step: 1, File: 7}, {}, {},
	}
	if fmt.Sprint(c.filters) != fmt.Sprint(want) {
		t.Errorf("retried %+v, want %+v", c.filters, want)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A button cancels what stands beside it; one for all failures selects no other files.
func TestFailuresAreCanceledByKind(t *testing.T) {
	s := stocked(1)
	s.transfers[0].State = tasks.StateRunning
	c := &retried{controls: controls{make(map[string]int)}}
	page := serve(t, web.Options{Transfers: s, Results: hostileResults(30), Control: c}) + "/transfers/" + s.transfers[0].UUID
	for to, form := range map[string]url.Values{
		"/failures?canceled=3": {"step": {"noop"}, "outcome": {"failed"}, "kind": {"1"}, "code": {""}, "message": {""}},
		"/files/7?canceled=3":  {"file": {"7"}, "back": {"file"}},
	} {
		res, err := http.DefaultTransport.RoundTrip(formRequest(t, page+"/cancel-files", form))
		testkit.Must(t, err)
		testkit.Must(t, res.Body.Close())
		if at := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || !strings.HasSuffix(at, to) {
			t.Errorf("%v leads to %q with %d", form, at, res.StatusCode)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(formRequest(t, page+"/cancel-files", url.Values{"failed": {"1"}}))
	testkit.Must(t, err)
	testkit.Must(t, res.Body.Close())
	if len(c.canceled) != 3 || len(c.canceled[2].Outcomes) != 3 {
		t.Errorf("canceled %+v, want all failures last", c.canceled)
	}
	for address, want := range map[string]string{
		"/failures?canceled=3":   "3 files go no further.",
		"/failures?canceled=0":   "Nothing was canceled",
		"/failures?canceled=<b>": "Cancel failed files",
	} {
		if status, _, body := get(t, page+address); status != http.StatusOK || !strings.Contains(body, want) || strings.Contains(body, "<b>") {
			t.Errorf("%s has no %q:\n%s", address, want, body)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

func formRequest(t *testing.T, to string, form url.Values) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	testkit.Must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return req
}
