package web

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/api"
)

// shownLetters is the number of dead letters on a page.
const shownLetters = 25

// Letters reads dead letters, and decides about them. An error that a person can correct is
// an *api.RequestError.
type Letters interface {
	DeadLetterPage(ctx context.Context, before int64, limit int) ([]DeadLetterView, error)
	RequeueDeadLetter(ctx context.Context, id int64, queue string) error
	DiscardDeadLetter(ctx context.Context, id int64) error
}

// DeadLetterView is a message that was not used.
type DeadLetterView struct {
	ID           int64
	ReceivedAt   time.Time
	Type, Reason string
	Payload      []byte
	Cut          bool // only the beginning was kept
}

type deadLettersPage struct {
	page

	opts *Options
}

type deadLettersView struct {
	layout
	Problem, Next string
	Letters       []letterItem
	MaySteer      bool
}

type letterItem struct {
	ID                            int64
	Number, Type, Reason, Payload string
	At                            moment
	Cut, CanRequeue               bool
}

func newDeadLettersPage(opts *Options) (*deadLettersPage, error) {
	p, err := newPage(opts, "dead-letters.html", "/dead-letters")
	return &deadLettersPage{p, opts}, err
}

// ServeHTTP lists dead letters. POST requeues or discards one.
func (p *deadLettersPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := deadLettersView{layout: p.layoutFor(r), MaySteer: p.opts.Fleet != nil && may(r, "POST /dead-letters")}
	status := http.StatusOK
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		err := p.decide(r)
		if err == nil {
			http.Redirect(w, r, "/dead-letters", http.StatusSeeOther)
			return
		}
		status, view.Problem = p.sorry(r, err)
	}
	if err := p.fill(r.Context(), &view, r.URL.Query()); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, "layout", view)
}

func (p *deadLettersPage) decide(r *http.Request) error {
	if err := readForm(r); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PostForm.Get("id"), 10, 64)
	if err != nil {
		return missing("There is no such dead letter.")
	}
	switch r.PostForm.Get("do") {
	case "requeue":
		return p.opts.Letters.RequeueDeadLetter(r.Context(), id, r.PostForm.Get("queue"))
	case "discard":
		return p.opts.Letters.DiscardDeadLetter(r.Context(), id)
	}
	return missing("The form does not say what to do with the dead letter.")
}

func (p *deadLettersPage) fill(ctx context.Context, v *deadLettersView, q url.Values) error {
	before, err := api.DecodeToken(q.Get("before"))
	if err != nil {
		return &api.RequestError{Missing: true, Err: errNoPage}
	}
	letters, err := p.opts.Letters.DeadLetterPage(ctx, before, shownLetters+1)
	if err != nil {
		return err
	}
	if len(letters) > shownLetters {
		letters = letters[:shownLetters]
		v.Next = "?" + url.Values{"before": {api.EncodeToken(letters[shownLetters-1].ID)}}.Encode()
	}
	for i := range letters {
		l := &letters[i]
		v.Letters = append(v.Letters, letterItem{
			ID: l.ID, Number: humanize.Comma(l.ID), Type: visible(l.Type), Reason: visible(l.Reason), Payload: visible(string(l.Payload)),
			At: momentOf(l.ReceivedAt, p.opts.Now()), Cut: l.Cut, CanRequeue: !l.Cut,
		})
	}
	return nil
}
