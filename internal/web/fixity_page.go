package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// TransferComparer compares transfers.
type TransferComparer interface {
	// Earlier lists transfers of the same sources that began before and have completed, newest first.
	Earlier(ctx context.Context, t tasks.Transfer, limit int) ([]tasks.Transfer, error)

	// Compare compares the files of transfer to with those of transfer from. It calls read
	// with each file that it has read, and found with each difference.
	Compare(ctx context.Context, from, to tasks.Transfer, read func(), found func(fixity.Difference) error) (ledger.Fixity, error)

	// HasOnlyChanges reports whether a transfer lacks files that had not changed since an earlier run.
	HasOnlyChanges(ctx context.Context, t tasks.Transfer) (bool, error)

	// Standing counts what is damaged or missing now, of all files that the fixity runs like
	// the one of a transfer know; known is false when no fixity run has made it.
	Standing(ctx context.Context, t tasks.Transfer) (found ledger.Fixity, known bool, err error)
}

// Limits of the page of differences.
const (
	shownEarlier     = 20 // transfers to compare with
	shownDifferences = 20 // of a kind, beside other kinds
)

// fixityPage shows how the files of a transfer differ from those of an earlier one.
type fixityPage struct {
	page

	opts        *Options
	comparisons comparisons
}

type fixityView struct {
	layout
	Self, Transfer, Name, Problem string
	Tabs                          []tab
	Empty, Hint                   string // why there is nothing to compare
	With, Kind, All               string
	Others                        []option
	Read                          string // progress; empty at the end
	Progress                      bar
	Figures                       []fixityFigure
	Notes                         []string
	Standing                      string
	Groups                        []fixityGroup
}

type fixityFigure struct {
	Name, Count, Href string
	Bad, Current      bool
}

type fixityGroup struct {
	Name, Meaning, More, MoreHref string
	Moved                         bool
	Rows                          []differenceItem
}

type differenceItem struct{ Path, Href, To, ToHref, Note string }

// fixityKinds are the kinds of differences, those first that a person should look at.
//
//nolint:gochecknoglobals // a table
var fixityKinds = []struct {
	kind          fixity.Kind
	name, meaning string
	bad           bool
	count         func(*ledger.Fixity) int64
}{
	{fixity.KindDamaged, "Damaged", "other content, although size and time are the same", true,
		func(f *ledger.Fixity) int64 { return f.Damaged }},
	{fixity.KindMissing, "Missing", "no longer there, and the content is at no new path", true,
		func(f *ledger.Fixity) int64 { return f.Missing }},
	{fixity.KindUnread, "Not readable", "there, and could not be read", true, func(f *ledger.Fixity) int64 { return f.Unread }},
	{fixity.KindMoved, "Moved", "the same content at a new path", false, func(f *ledger.Fixity) int64 { return f.Moved }},
	{fixity.KindChanged, "Changed", "another size or modification time", false, func(f *ledger.Fixity) int64 { return f.Changed }},
	{fixity.KindNew, "New", "was not there before", false, func(f *ledger.Fixity) int64 { return f.New }},
}

func newFixityPage(opts *Options) (*fixityPage, error) {
	p, err := newPage(opts, "fixity.html", "/")
	return &fixityPage{page: p, opts: opts, comparisons: comparisons{
		compare: opts.Fixity.Compare, background: opts.background, turn: make(chan struct{}, 1),
	}}, err
}

func (p *fixityPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := fixityView{layout: p.layoutFor(r), Self: r.URL.RequestURI(), Transfer: r.PathValue("id"), Name: unnamedTransfer}
	status := http.StatusOK
	if err := p.fill(r.Context(), &view, r.URL.Query()); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, wanted(r), &view)
}

func (p *fixityPage) fill(ctx context.Context, v *fixityView, q url.Values) error {
	t, err := p.opts.Transfers.Transfer(ctx, v.Transfer)
	if err != nil {
		return err
	}
	v.Name, v.Tabs = rowOf(&t, nil, p.opts.Now()).Name, tabsOf(p.opts, &t, "fixity")
	if !t.State.Ended() {
		v.Empty, v.Hint = "Nothing to compare yet", "The files are compared with those of the last run when the transfer has ended."
		return nil
	}
	if err := p.stand(ctx, v, &t); err != nil {
		return err
	}
	from, err := p.earlier(ctx, v, &t, q.Get("with"))
	if err != nil || v.Empty != "" {
		return err
	}
	c := p.comparisons.get(&from, &t) //nolint:contextcheck // it outlives the request
	ended := c.wait(ctx)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.err != nil && !errors.Is(c.err, errGivenUp) { // else the next look begins again
		return c.err
	}
	if !ended || c.err != nil {
		v.Read = humanize.Comma(c.read) + " of " + quantity(from.Files+t.Files, "file") + " read"
		v.Progress = barOf([]part{{"busy", "files read", min(c.read, from.Files+t.Files)}}, from.Files+t.Files)
		return nil
	}
	v.show(&from, &t, c, q.Get("kind"))
	return p.note(ctx, v, &from, &t, &c.counts)
}

// stand says what is damaged or missing in all that fixity runs know: a file that was damaged
// before the last run does not differ from it.
func (p *fixityPage) stand(ctx context.Context, v *fixityView, t *tasks.Transfer) error {
	found, known, err := p.opts.Fixity.Standing(ctx, *t)
	if err == nil && known && found.Bad() {
		v.Standing = fmt.Sprintf("Of all files that these runs know, %s damaged and %s missing now, whenever that began; "+
			"'baler diff %d' lists them.",
			beOf(found.Damaged), beOf(found.Missing), t.ID)
	}
	return err
}

// beOf is a number with a verb.
func beOf(n int64) string {
	if n == 1 {
		return "1 is"
	}
	return humanize.Comma(n) + " are"
}

// earlier finds the transfer to compare with: the one that a person chose, or the last before.
func (p *fixityPage) earlier(ctx context.Context, v *fixityView, t *tasks.Transfer, chosen string) (from tasks.Transfer, err error) {
	others, err := p.opts.Fixity.Earlier(ctx, *t, shownEarlier)
	if err != nil {
		return from, err
	}
	found := false
	for i := range others {
		v.Others = append(v.Others, option{others[i].UUID, fmt.Sprintf("%d, %s, ended %s UTC",
			others[i].ID, rowOf(&others[i], nil, p.opts.Now()).Name, others[i].EndedAt.UTC().Format("2006-01-02 15:04"))})
		if others[i].UUID == chosen || chosen == "" && i == 0 {
			from, found = others[i], true
		}
	}
	switch {
	case found:
	case chosen == "":
		v.Empty, v.Hint = "No earlier transfer of the same folders", "When they are processed again, this page shows what has changed."
		return from, nil
	default:
		if from, err = p.opts.Transfers.Transfer(ctx, chosen); err != nil {
			return from, err
		}
		if !from.State.Ended() {
			v.Empty, v.Hint = "The other transfer has not ended", "Choose another one, or come back when it has."
			return from, nil
		}
		v.Others = append(v.Others, option{from.UUID, fmt.Sprintf("%d, %s", from.ID, rowOf(&from, nil, p.opts.Now()).Name)})
	}
	v.With = from.UUID
	return from, nil
}

func (v *fixityView) show(from, to *tasks.Transfer, c *comparison, kind string) {
	base := "/transfers/" + to.UUID + "/fixity?" + url.Values{"with": {from.UUID}}.Encode()
	v.All = base
	for _, k := range fixityKinds {
		n := k.count(&c.counts)
		f := fixityFigure{Name: k.name, Count: humanize.Comma(n), Bad: k.bad && n > 0}
		if n > 0 {
			f.Href = base + "&kind=" + string(k.kind)
			f.Current = kind == string(k.kind)
		}
		if f.Current {
			v.Kind = kind
		}
		v.Figures = append(v.Figures, f)
	}
	v.Figures = append(v.Figures, fixityFigure{Name: "Unchanged", Count: humanize.Comma(c.counts.Unchanged)})
	for _, k := range fixityKinds {
		n := k.count(&c.counts)
		if n == 0 || v.Kind != "" && v.Kind != string(k.kind) {
			continue
		}
		g := fixityGroup{Name: k.name, Meaning: k.meaning, Moved: k.kind == fixity.KindMoved}
		rows := c.first[k.kind]
		if v.Kind == "" && len(rows) > shownDifferences {
			rows, g.MoreHref = rows[:shownDifferences], base+"&kind="+string(k.kind)
		}
		for i := range rows {
			g.Rows = append(g.Rows, differenceItemOf(from, to, &rows[i]))
		}
		if left := n - int64(len(rows)); left > 0 {
			g.More = humanize.Comma(left) + " more"
			if g.MoreHref == "" {
				g.More += fmt.Sprintf("; 'baler diff %d %d' lists all", from.ID, to.ID)
			}
		}
		v.Groups = append(v.Groups, g)
	}
}

func differenceItemOf(from, to *tasks.Transfer, d *fixity.Difference) differenceItem {
	item := differenceItem{Path: visible(d.Path)}
	switch {
	case d.Kind == fixity.KindMoved:
		item.Href, item.To, item.ToHref = fileLink(from, d.Was.File), visible(d.To), fileLink(to, d.Is.File)
	case d.Is.File == 0:
		item.Href = fileLink(from, d.Was.File)
	default:
		item.Href = fileLink(to, d.Is.File)
	}
	if d.Kind == fixity.KindChanged && d.Content == fixity.Same {
		item.Note = "the content is the same"
	}
	return item
}

// note says what the figures do not tell.
func (p *fixityPage) note(ctx context.Context, v *fixityView, from, to *tasks.Transfer, counts *ledger.Fixity) error {
	if n := counts.Uncompared; n > 0 {
		have := humanize.Comma(n) + " unchanged files have"
		if n == 1 {
			have = "1 unchanged file has"
		}
		v.Notes = append(v.Notes, have+" no digest in both transfers: only size and time are compared. "+
			"The steps checksum and identify record digests.")
	}
	if counts.Missing+counts.New == 0 {
		return nil
	}
	for _, t := range []*tasks.Transfer{from, to} {
		part, err := p.opts.Fixity.HasOnlyChanges(ctx, *t)
		if err != nil {
			return err
		}
		if part {
			v.Notes = append(v.Notes, fmt.Sprintf("Transfer %d has only the files that its run processed: "+
				"those that had not changed since an earlier run "+
				"are not in it, and seem to be missing or new here.", t.ID))
		}
	}
	return nil
}
