package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// shownKinds is how many formats the page lists.
const shownKinds = 60

// formatsPage shows what kinds of files a transfer has.
type formatsPage struct {
	page

	opts    *Options
	surveys surveys
}

type formatsView struct {
	layout
	Self, Transfer, Name, Problem string
	Tabs                          []tab
	By, Order                     string
	Kinds, Orders                 []option
	Counted                       string // progress; empty at the end
	Progress                      bar
	Rows                          []kindItem
	More                          string
	Misfits                       []misfitItem
	Misfit                        string
}

type kindItem struct {
	Value, Name, Href, Files, Size string
	Bar                            bar
}

type misfitItem struct{ Path, Href, Warning, Format string }

func newFormatsPage(opts *Options) (*formatsPage, error) {
	p, err := newPage(opts, "formats.html", "/")
	return &formatsPage{page: p, opts: opts, surveys: newSurveys()}, err
}

func (p *formatsPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := formatsView{layout: p.layoutFor(r), Self: r.URL.RequestURI(), Transfer: r.PathValue("id"), Name: unnamedTransfer}
	status := http.StatusOK
	span := surveyFirst
	if wanted(r) == "live" {
		span = surveyNext
	}
	if err := p.fill(r.Context(), &view, r.URL.Query(), span); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, wanted(r), &view)
}

func (p *formatsPage) fill(ctx context.Context, v *formatsView, q url.Values, span time.Duration) error {
	t, err := p.opts.Transfers.Transfer(ctx, v.Transfer)
	if err != nil {
		return err
	}
	now := p.opts.Now()
	v.Name, v.Tabs = rowOf(&t, nil, now).Name, tabsOf(p.opts, &t, "formats")
	v.Kinds = []option{{"puid", "format (PUID)"}, {"mime", "MIME type"}, {"extension", "extension"}}
	v.Orders = []option{{"files", "files"}, {"bytes", "size"}}
	v.By, v.Order = chosen(v.Kinds, q.Get("by")), chosen(v.Orders, q.Get("order"))
	s := p.surveys.get(&t, now)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err := s.advance(ctx, p.opts.Formats, &t, span); err != nil {
		return err
	}
	if !s.ended {
		v.Counted = humanize.Comma(s.files) + " of " + quantity(t.Files, "file") + " counted"
		v.Progress = barOf([]part{{"busy", "files counted", s.files}}, t.Files)
	}
	v.rows(&t, s)
	return nil
}

func (v *formatsView) rows(t *tasks.Transfer, s *survey) {
	type counted struct {
		value string
		*kindCount
	}
	var all []counted
	for value, n := range s.kinds[v.By] {
		all = append(all, counted{value, n})
	}
	size := func(c counted) int64 {
		if v.Order == "bytes" {
			return c.bytes
		}
		return c.files
	}
	slices.SortFunc(all, func(a, b counted) int { return cmp.Or(cmp.Compare(size(b), size(a)), cmp.Compare(a.value, b.value)) })
	if len(all) > shownKinds {
		v.More = humanize.Comma(int64(len(all)-shownKinds)) + " more"
		all = all[:shownKinds]
	}
	for _, c := range all {
		item := kindItem{Value: visible(c.value), Files: humanize.Comma(c.files), Size: humanize.IBytes(uint64(c.bytes))}
		item.Bar = barOf([]part{{"accent", v.Order, size(c)}}, size(all[0]))
		switch {
		case v.By == "extension" && c.value != "none" && c.value != otherKinds:
			item.Href = filesLink(t, "ext:"+c.value)
		case v.By != "extension" && !slices.Contains([]string{"not identified", "unknown", otherKinds}, c.value):
			item.Href = filesLink(t, v.By+":"+c.value)
		}
		if v.By == "puid" {
			item.Name = visible(s.names[c.value])
		}
		v.Rows = append(v.Rows, item)
	}
	for _, m := range s.misfits {
		format := visible(cmp.Or(s.names[m.puid], m.puid))
		v.Misfits = append(v.Misfits, misfitItem{visible(m.path), fileLink(t, m.no), visible(m.warning), format})
	}
	v.Misfit = quantity(s.misfit, "file")
}

func filesLink(t *tasks.Transfer, search string) string {
	return "/transfers/" + t.UUID + "/files?" + url.Values{"q": {search}}.Encode()
}
