package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/schedule"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// plant has limits and schedules that people change.
type plant struct {
	api.Scheduler

	one    tasks.Transfer
	queues []queue.Stats
	weight int // of the queue low
	calls  []string
}

func (p *plant) setLimit(_ context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (tasks.Limit, error) {
	call := fmt.Sprintf("limit %s %q", scope, name)
	if change.Weight != nil {
		call += fmt.Sprintf(" weight %d", *change.Weight)
	}
	inFlight, rate := change.InFlight, change.FilesPerSecond
	if inFlight != nil {
		call += fmt.Sprintf(" %d batches", *inFlight)
	}
	if rate != nil {
		call += fmt.Sprintf(" %g files", *rate)
	}
	p.calls = append(p.calls, call)
	return tasks.Limit{}, nil
}

func (p *plant) Schedules(context.Context) ([]schedule.Schedule, error) {
	return []schedule.Schedule{{Name: "nightly", Cron: "@daily", Paths: []string{"/data"}}}, nil
}

func (p *plant) AddSchedule(_ context.Context, s schedule.Schedule) (schedule.Schedule, error) {
	if s.Name == "nightly" {
		return s, &api.RequestError{Conflict: true, Err: schedule.ErrTaken}
	}
	p.calls = append(p.calls, fmt.Sprintf("add %s %s %s %s %s %q", s.Name, s.Cron, s.Zone, s.Recipe, s.Overlap, s.Paths))
	return s, nil
}

func (p *plant) RemoveSchedule(_ context.Context, name string) error {
	if name != "nightly" {
		return schedule.ErrNotFound
	}
	p.calls = append(p.calls, "remove "+name)
	return nil
}

func newPlant(t *testing.T) (*plant, *desk) {
	t.Helper()
	p := &plant{one: tasks.Transfer{UUID: "uuid-of-7", State: tasks.StateRunning}}
	return p, newDesk(t, func(o *web.Options) {
		o.Fleet, o.Scheduler, o.System, o.Results = fleetOf{plant: p}, p, systemOf{plant: p}, results{of: p}
	})
}

// A plant is everything at once, whose interfaces overlap.
type (
	fleetOf struct {
		api.Fleet
		plant *plant
	}
	systemOf struct {
		system
		plant *plant
	}
	results struct {
		reader
		of *plant
	}
)

func (f fleetOf) SetLimit(ctx context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (tasks.Limit, error) {
	return f.plant.setLimit(ctx, scope, name, change)
}
func (s systemOf) Workers(context.Context) ([]tasks.Worker, error) { return nil, nil }
func (s systemOf) Queues(context.Context) ([]queue.Stats, error)   { return s.plant.queues, nil }
func (s systemOf) Recipes() []string                               { return []string{"checksum", "default"} }
func (s systemOf) Limits(context.Context) ([]tasks.Limit, error) {
	return []tasks.Limit{{Scope: tasks.ScopeQueue, Name: "low", InFlight: 3, Weight: s.plant.weight}, {Scope: tasks.ScopeAll, Trouble: "<broken>"},
		{Scope: tasks.ScopeHandler, Name: "nosuch", PerHost: 1, Note: "no live worker has <it>"}}, nil
}

func (r results) FindTransfer(_ context.Context, ref string) (tasks.Transfer, error) {
	if ref != "7" {
		return tasks.Transfer{}, tasks.ErrTransferNotFound
	}
	return r.of.one, nil
}

func (d *desk) form(path string, role accounts.Role, f url.Values) (status int, body string) {
	w := d.ask(http.MethodPost, path, f.Encode(), bearer(d.tokens[role]))
	return w.Code, w.Body.String()
}

func TestLimitsAreSetOnThePage(t *testing.T) {
	t.Parallel()
	p, d := newPlant(t)
	for _, c := range []struct {
		scope, name, batches, files string
		status                      int
		want                        string // the call, or what the page says
	}{
		{"all", "", "4", "", http.StatusSeeOther, `limit all "" 4 batches`},
		{"queue", "low", "", " 2.5 ", http.StatusSeeOther, `limit queue "low" 2.5 files`},
		{"queue", "low", "0", "0", http.StatusSeeOther, `limit queue "low" 0 batches 0 files`},
		{"transfer", "7", "1", "", http.StatusSeeOther, `limit transfer "uuid-of-7" 1 batches`},
		{"transfer", "<8>", "1", "", http.StatusNotFound, "There is no transfer &#34;&lt;8&gt;&#34;."},
		{"all", "low", "1", "", http.StatusUnprocessableEntity, "the limit of everything has no name"},
		{"queue", "", "1", "", http.StatusUnprocessableEntity, "&#34;&#34; is not the name of a queue"},
		{"queue", "low", "", "", http.StatusUnprocessableEntity, "give a number of batches or of files"},
		{"queue", "low", "1.5", "", http.StatusUnprocessableEntity, "&#34;1.5&#34; is no whole number of batches"},
		{"queue", "low", "-1", "", http.StatusUnprocessableEntity, "&#34;-1&#34; is no number of batches at once"},
		{"queue", "low", "", "NaN", http.StatusUnprocessableEntity, "&#34;NaN&#34; is no number of files per second"},
		{"queue", "low", "9999999999", "", http.StatusUnprocessableEntity, "is no number of batches at once"},
		{"galaxy", "low", "1", "", http.StatusUnprocessableEntity, "&#34;galaxy&#34; is nothing that can be limited"},
	} {
		p.calls = nil
		f := url.Values{"scope": {c.scope}, "name": {c.name}, "in_flight": {c.batches}, "files_per_second": {c.files}}
		status, body := d.form("/limits", accounts.Operator, f)
		got := body
		if c.status == http.StatusSeeOther {
			got = strings.Join(p.calls, ";")
		}
		if status != c.status || !strings.Contains(got, c.want) || c.status != http.StatusSeeOther && len(p.calls) > 0 {
			t.Errorf("%+v: %d, %q\n%.2000s", c, status, p.calls, got)
		}
	}
	p.one.State = tasks.StateCompleted
	f := url.Values{"scope": {"transfer"}, "name": {"7"}, "in_flight": {"1"}}
	if status, _ := d.form("/limits", accounts.Operator, f); status != http.StatusConflict {
		t.Errorf("a transfer that has ended is limited: %d", status)
	}
	f.Set("in_flight", "0")
	if status, _ := d.form("/limits", accounts.Operator, f); status != http.StatusSeeOther {
		t.Errorf("the limit of a transfer that has ended stays: %d", status)
	}
	if status, _ := d.form("/limits", accounts.Submitter, f); status != http.StatusForbidden {
		t.Errorf("a submitter sets limits: %d", status)
	}
	for role, want := range map[accounts.Role]bool{accounts.Operator: true, accounts.Submitter: false} {
		body := d.ask(http.MethodGet, "/workers", "", bearer(d.tokens[role])).Body.String()
		if got := strings.Contains(body, `action="/limits"`); got != want || !strings.Contains(body, "&lt;broken&gt;") ||
			!strings.Contains(body, "no live worker has &lt;it&gt;") {
			t.Errorf("the page offers limits to a %s: %t", role, got)
		}
	}
	if lines := fmt.Sprint(d.lines()); !strings.Contains(lines, "/workers#files_per_second=2.5&in_flight=&name=low&per_host=&scope=queue") {
		t.Errorf("the audit log does not say which limit was set: %s", lines)
	}
	if !d.told("set a limit", audit.Done) || !d.told("set a limit", audit.Refused) {
		t.Errorf("the audit log has %+v", d.lines())
	}
}

// told reports whether the audit log has a line.
func (d *desk) told(action string, status audit.Status) bool {
	for _, e := range d.lines() {
		if e.Action == action && e.Result == status {
			return true
		}
	}
	return false
}

func TestSchedulesAreAddedAndRemovedOnThePage(t *testing.T) {
	t.Parallel()
	p, d := newPlant(t)
	f := url.Values{
		"name": {" weekly "}, "cron": {"@weekly"}, "zone": {"Europe/Berlin"}, "recipe": {"checksum"}, "overlap": {"queue"},
		"paths": {"/data/a\r\n\r\n /data/b \n"},
	}
	if status, body := d.form("/schedules", accounts.Operator, f); status != http.StatusSeeOther {
		t.Fatalf("%d: %s", status, body)
	}
	f.Set("name", "nightly")
	f.Set("zone", "<b>")
	status, body := d.form("/schedules", accounts.Operator, f)
	if status != http.StatusConflict || !strings.Contains(body, schedule.ErrTaken.Error()) || !strings.Contains(body, `value="&lt;b&gt;"`) ||
		!strings.Contains(body, "/data/b") || !strings.Contains(body, "<details class=\"card\" open>") {
		t.Errorf("a name that is taken: %d\n%s", status, body)
	}
	f.Set("name", "many")
	f.Set("paths", strings.Repeat("/x\n", 1001))
	if status, body := d.form("/schedules", accounts.Operator, f); status != http.StatusUnprocessableEntity || !strings.Contains(body, "at most 1000 paths") {
		t.Errorf("too many paths: %d", status)
	}
	f.Set("paths", strings.Repeat("x", 1<<17))
	if status, _ := d.form("/schedules", accounts.Operator, f); status != http.StatusUnprocessableEntity {
		t.Errorf("a form that is too long: %d", status)
	}
	if status, _ := d.form("/schedules/nightly/remove", accounts.Operator, nil); status != http.StatusSeeOther {
		t.Errorf("remove: %d", status)
	}
	if status, body := d.form("/schedules/weekly/remove", accounts.Operator, nil); status != http.StatusNotFound || !strings.Contains(body, "There is no such schedule") {
		t.Errorf("remove what is not there: %d", status)
	}
	if status, _ := d.form("/schedules", accounts.Submitter, f); status != http.StatusForbidden {
		t.Errorf("a submitter adds schedules: %d", status)
	}
	want := []string{`add weekly @weekly Europe/Berlin checksum queue ["/data/a" " /data/b "]`, "remove nightly"}
	if fmt.Sprint(p.calls) != fmt.Sprint(want) {
		t.Errorf("did %q, want %q", p.calls, want)
	}
	if !d.told("add a schedule", audit.Done) || !d.told("add a schedule", audit.Refused) || !d.told("remove a schedule", audit.Done) {
		t.Errorf("the audit log has %+v", d.lines())
	}
}

// The page shows the weights of queues that people have set, and changes them.
func TestWeightsOfQueuesOnThePage(t *testing.T) {
	t.Parallel()
	p, d := newPlant(t)
	p.queues = []queue.Stats{{Name: "low"}, {Name: "other"}}
	p.weight = 7
	page := d.ask(http.MethodGet, "/workers", "", bearer(d.tokens[accounts.Operator])).Body.String()
	if !strings.Contains(page, `value="7" placeholder="as configured"`) || !strings.Contains(page, `value="" placeholder="as configured"`) {
		t.Errorf("the weights are not on the page:\n%s", page)
	}
	page = d.ask(http.MethodGet, "/workers", "", bearer(d.tokens[accounts.Viewer])).Body.String()
	if strings.Contains(page, `name="weight"`) || !strings.Contains(page, `<td class="roomy">7</td>`) || !strings.Contains(page, `<td class="roomy">as configured</td>`) {
		t.Errorf("a viewer sees:\n%s", page)
	}
	for _, c := range []struct {
		scope, weight string
		status        int
		want          string
	}{
		{"queue", "9", http.StatusSeeOther, `limit queue "low" weight 9`},
		{"queue", "0", http.StatusSeeOther, `limit queue "low" weight 0`},
		{"queue", "101", http.StatusUnprocessableEntity, "a queue has a weight from 1 to 100"},
		{"queue", "1.5", http.StatusUnprocessableEntity, "is no whole number of the weight of a queue"},
		{"handler", "5", http.StatusUnprocessableEntity, "a queue has a weight from 1 to 100"},
	} {
		p.calls = nil
		status, body := d.form("/limits", accounts.Operator, url.Values{"scope": {c.scope}, "name": {"low"}, "weight": {c.weight}})
		if c.status == http.StatusSeeOther {
			body = strings.Join(p.calls, ";")
		}
		if status != c.status || !strings.Contains(body, c.want) || c.status != http.StatusSeeOther && len(p.calls) > 0 {
			t.Errorf("%+v: %d, %q\n%.2000s", c, status, p.calls, body)
		}
	}
}
