package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// maxForm limits the body of a form, in bytes.
const maxForm = 64 << 10

// mountActions registers what the buttons of the pages of a transfer do. Requests from
// pages of other sites are refused before they come here.
func mountActions(mux *http.ServeMux, opts *Options, p *transferPage) {
	c := opts.Control
	back := func(_ bool, err error) (string, error) { return "", err }
	for name, do := range map[string]func(context.Context, tasks.Transfer, url.Values) (to string, err error){
		"pause": func(ctx context.Context, t tasks.Transfer, _ url.Values) (string, error) {
			return back(c.Pause(ctx, t))
		},
		"resume": func(ctx context.Context, t tasks.Transfer, _ url.Values) (string, error) {
			return back(c.Resume(ctx, t))
		},
		"cancel": func(ctx context.Context, t tasks.Transfer, _ url.Values) (string, error) {
			return back(c.Cancel(ctx, t))
		},
		"approve": func(ctx context.Context, t tasks.Transfer, q url.Values) (string, error) {
			_, err := c.Decide(ctx, t, tasks.Decision{Step: q.Get("step"), Comment: q.Get("comment")})
			return "", err
		},
		"update": func(ctx context.Context, t tasks.Transfer, q url.Values) (string, error) {
			change, err := changeOf(q)
			if err != nil {
				return "", err
			}
			return back(c.Update(ctx, t, change))
		},
		"reject": func(ctx context.Context, t tasks.Transfer, q url.Values) (string, error) {
			_, err := c.Decide(ctx, t, tasks.Decision{Step: q.Get("step"), Comment: q.Get("comment"), Reject: true})
			return "", err
		},
		"retry": func(ctx context.Context, t tasks.Transfer, q url.Values) (string, error) {
			f := filterOf(&t, q)
			n, err := c.Retry(ctx, t, f.filter(&t))
			to := ""
			if q.Get("back") == "failures" {
				to = "/failures?retried=" + strconv.FormatInt(n, 10)
			}
			return to, err
		},
		"cancel-files": func(ctx context.Context, t tasks.Transfer, q url.Values) (string, error) {
			f := filterOf(&t, q)
			selected := f.filter(&t)
			if q.Get("failed") != "" {
				selected = f.failures(&t)
			}
			n, err := c.CancelFiles(ctx, t, selected)
			to := "/failures?canceled=" + strconv.FormatInt(n, 10)
			if q.Get("back") == "file" {
				to = "/files/" + strconv.FormatInt(f.File, 10) + "?canceled=" + strconv.FormatInt(n, 10)
			}
			return to, err
		},
	} {
		mux.HandleFunc("POST /transfers/{id}/"+name, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			t, err := opts.Transfers.Transfer(r.Context(), r.PathValue("id"))
			if err == nil {
				err = readForm(r)
			}
			to := ""
			if err == nil {
				to, err = do(r.Context(), t, r.PostForm)
			}
			if err != nil {
				view := transferView{layout: p.layoutFor(r), Self: "/transfers/" + r.PathValue("id")}
				var status int
				status, view.Problem = p.sorry(r, err)
				p.send(w, r, status, "layout", view)
				return
			}
			opts.Log.InfoContext(r.Context(), "changed on the page", "transfer", t.UUID, "action", name, "remote", r.RemoteAddr)
			http.Redirect(w, r, "/transfers/"+t.UUID+to, http.StatusSeeOther)
		})
	}
}

// changeOf is the change that a form asks for: a deadline, or else a weight.
func changeOf(q url.Values) (c tasks.TransferChange, err error) {
	if q.Has("deadline") {
		d, err := tasks.ParseDeadlineChange(strings.TrimSpace(q.Get("deadline")))
		if err != nil {
			return c, &api.RequestError{Field: "deadline", Err: err}
		}
		return tasks.TransferChange{Deadline: &d}, nil
	}
	weight, err := strconv.Atoi(q.Get("weight"))
	c.Weight = &weight
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return c, &api.RequestError{Field: "weight", Err: errors.New("the weight is a number from 1 to 100")}
	}
	return c, nil
}
