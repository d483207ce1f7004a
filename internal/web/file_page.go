package web

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// shownSteps is how many results of one file its page shows.
const shownSteps = 200

// filePage shows all that is known about one file.
type filePage struct {
	page

	opts *Options
}

type fileView struct {
	layout
	Transfer, Name, Problem  string
	File                     fileItem
	Parent, ParentNo, Within string
	Facts                    []fact
	Results, Attempts        []resultItem
	Made                     []fileItem
	Earlier                  []earlierItem
	MayRetry, CanCancel      bool
	Canceled                 string
}

type earlierItem struct {
	Name, Href, Size string
	State            status
	Created          moment
}

func newFilePage(opts *Options) (*filePage, error) {
	p, err := newPage(opts, "file.html", "/")
	return &filePage{p, opts}, err
}

func (p *filePage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := fileView{layout: p.layoutFor(r), Transfer: r.PathValue("id"), Name: unnamedTransfer}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, r.PathValue("no")); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	view.Canceled = canceledWords(r.URL.Query().Get("canceled"))
	view.CanCancel = view.CanCancel && may(r, "POST /transfers/{id}/cancel-files")
	view.MayRetry = view.MayRetry && may(r, "POST /transfers/{id}/retry")
	p.send(w, r, status, "layout", view)
}

func (p *filePage) fill(ctx context.Context, v *fileView, number string) error {
	t, err := p.opts.Transfers.Transfer(ctx, v.Transfer)
	if err != nil {
		return err
	}
	now := p.opts.Now()
	v.Name = rowOf(&t, nil, now).Name
	no, err := strconv.ParseInt(number, 10, 64)
	if err != nil || no < 1 {
		return errNoFile()
	}
	story, err := p.opts.Files.FileStory(ctx, &t, no)
	if err != nil {
		return err
	}
	if story.File.No == 0 {
		return errNoFile()
	}
	shown := []fileItem{fileItemOf(&t, &story.File)}
	if err := addThumbnails(ctx, p.opts.Thumbnails, &t, shown); err != nil {
		return err
	}
	v.File = shown[0]
	if e := story.File.Emitted; e != nil {
		v.Parent, v.ParentNo, v.Within = fileLink(&t, e.Parent), humanize.Comma(e.Parent), visible(e.Name)
	}
	rows, err := p.opts.Results.Results(ctx, t, tasks.ResultSelector{File: no}, tasks.ResultKey{}, shownSteps)
	if err != nil {
		return err
	}
	v.results(&t, rows)
	v.CanCancel = p.opts.Control != nil && !t.State.Ended()
	v.MayRetry = p.opts.Control != nil && len(rows) > 0 && t.State != tasks.StateCanceled
	steps := stepNames(&t)
	for i := range story.Attempts {
		item := resultItemOf(&tasks.ResultRow{Result: story.Attempts[i]}, steps[story.Attempts[i].Step])
		v.Attempts = append(v.Attempts, item)
	}
	for i := range story.Made {
		v.Made = append(v.Made, fileItemOf(&t, &story.Made[i]))
	}
	for i := range story.Earlier {
		e := &story.Earlier[i]
		v.Earlier = append(v.Earlier, earlierItem{
			Name: rowOf(&e.Transfer, nil, now).Name, Href: fileLink(&e.Transfer, e.No), Size: humanize.IBytes(uint64(max(0, e.Size))),
			State: statusOf(&e.Transfer), Created: momentOf(e.Transfer.CreatedAt, now),
		})
	}
	return nil
}

// results shows the results of the steps, and the facts of all: a later step's word wins.
func (v *fileView) results(t *tasks.Transfer, rows []tasks.ResultRow) {
	steps := stepNames(t)
	facts := make(map[string]fact)
	for i := range rows {
		item := resultItemOf(&rows[i], steps[rows[i].Step])
		item.Open = len(rows) == 1
		for _, f := range item.Facts {
			facts[f.Name] = f
		}
		item.Facts = nil
		v.Results = append(v.Results, item)
	}
	for _, name := range slices.Sorted(maps.Keys(facts)) {
		v.Facts = append(v.Facts, facts[name])
	}
}

func errNoFile() error { return missing("The transfer has no such file.") }

// factsOf reads the facts of a result, each as a text.
func factsOf(raw json.RawMessage) map[string]string {
	var values map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &values) != nil {
		return nil
	}
	facts := make(map[string]string, len(values))
	for name, value := range values {
		text := string(value)
		_ = json.Unmarshal(value, &text) // a text is shown without quotes; anything else stays as it is
		facts[name] = text
	}
	return facts
}
