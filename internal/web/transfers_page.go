package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// shownTransfers is the number of transfers on a page.
const shownTransfers = 25

// transfersPage lists transfers, with filters.
type transfersPage struct {
	page

	opts *Options
}

// option is an entry of a select element.
type option struct{ Value, Name string }

type transfersView struct {
	layout
	States, Sorts      []option
	State, Sort, Query string
	Self               string // address of this page
	Rows               []row
	Filtered           bool // not all transfers are meant
	First              bool // whether this is the first page
	Begin, Next        string
	Partial            bool // older transfers were not searched
	Problem            string
}

func newTransfersPage(opts *Options) (*transfersPage, error) {
	p, err := newPage(opts, "transfers.html", "/")
	return &transfersPage{p, opts}, err
}

func (p *transfersPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := transfersView{layout: p.layoutFor(r), Self: r.URL.RequestURI(), States: stateOptions(), Sorts: sortOptions()}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, r.URL.Query()); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, wanted(r), view)
}

// stateOptions are the filters of the list.
func stateOptions() []option {
	return []option{
		{"", "all"},
		{"active", "active"},
		{"failures", "with failures"},
		{"completed", "completed"},
		{"paused", "paused"},
		{"interrupted", "interrupted"},
		{"canceled", "canceled"},
	}
}

func sortOptions() []option {
	return []option{
		{"", "newest"},
		{string(ledger.SortOldest), "oldest"},
		{string(ledger.SortName), "name"},
		{string(ledger.SortFiles), "most files"},
		{string(ledger.SortBytes), "largest"},
		{string(ledger.SortFailed), "most failures"},
	}
}

// chosen is the value among options; the first when there is none like it.
func chosen(options []option, value string) string {
	if slices.ContainsFunc(options, func(o option) bool { return o.Value == value }) {
		return value
	}
	return options[0].Value
}

func (p *transfersPage) fill(ctx context.Context, v *transfersView, q url.Values) error {
	v.State, v.Sort, v.Query = chosen(v.States, q.Get("state")), chosen(v.Sorts, q.Get("sort")), q.Get("q")
	query := ledger.TransferQuery{Text: v.Query, Sort: ledger.TransferSort(v.Sort), Limit: shownTransfers + 1}
	selectState(&query, v.State)
	v.Filtered = v.State != "" || v.Query != ""
	v.First = q.Get("before") == "" && q.Get("from") == ""
	var err error
	if query.Before, err = api.DecodeToken(q.Get("before")); err != nil {
		v.First = false
		return &api.RequestError{Missing: true, Err: errNoPage}
	}
	if n, err := strconv.Atoi(q.Get("from")); err == nil && n > 0 {
		query.Offset = min(n, ledger.SearchedTransfers)
	}
	rest := url.Values{}
	for name, value := range map[string]string{"state": v.State, "sort": v.Sort, "q": v.Query} {
		if value != "" {
			rest.Set(name, value)
		}
	}
	v.Begin = "/?" + rest.Encode()
	ts, complete, err := p.transfers(ctx, &query)
	if err != nil {
		return err
	}
	if len(ts) > shownTransfers {
		ts = ts[:shownTransfers]
		if query.Sort == ledger.SortNewest {
			rest.Set("before", api.EncodeToken(ts[shownTransfers-1].ID))
		} else {
			rest.Set("from", strconv.Itoa(query.Offset+shownTransfers))
		}
		v.Next = "/?" + rest.Encode()
	}
	v.Partial = !complete
	return p.rows(ctx, v, ts)
}

func selectState(q *ledger.TransferQuery, state string) {
	switch state {
	case "active":
		q.States = []tasks.State{tasks.StateOpen, tasks.StateRunning, tasks.StateFinalizing, tasks.StateInterrupted}
	case "failures":
		q.WithFailures = true
	case "paused":
		q.PausedOnly = true
	case "":
	default:
		q.States = []tasks.State{tasks.State(state)}
	}
}

func (p *transfersPage) transfers(ctx context.Context, q *ledger.TransferQuery) (ts []tasks.Transfer, complete bool, err error) {
	if p.opts.History == nil {
		ts, err = p.opts.Transfers.Transfers(ctx, q.Before, q.Limit)
		return ts, true, err
	}
	return p.opts.History.SearchTransfers(ctx, q)
}

// rows describes transfers with what they did lately.
func (p *transfersPage) rows(ctx context.Context, v *transfersView, ts []tasks.Transfer) error {
	now := p.opts.Now()
	activity, err := activityOf(ctx, p.opts.History, ts, now)
	if err != nil {
		return err
	}
	for i := range ts {
		v.Rows = append(v.Rows, rowOf(&ts[i], activity[ts[i].ID], now))
	}
	return nil
}

// activityOf reads what transfers did in the last minutes, as far as they were active then.
func activityOf(ctx context.Context, h History, ts []tasks.Transfer, now time.Time) (map[int64][]ledger.Activity, error) {
	if h == nil {
		return nil, nil //nolint:nilnil // nothing is known
	}
	since := now.Add(-sparkSlots * ledger.SlotLength)
	var ids []int64
	for i := range ts {
		if ended := ts[i].EndedAt; ended.IsZero() || ended.After(since) {
			ids = append(ids, ts[i].ID)
		}
	}
	slices.Sort(ids)
	return h.Activity(ctx, ids, since)
}
