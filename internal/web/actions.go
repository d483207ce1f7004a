package web

import (
	"context"
	"net/http"

	"github.com/balerhq/baler/tasks"
)

// mountActions registers what the buttons of the page of a transfer do. Requests from
// pages of other sites are refused before they come here.
func mountActions(mux *http.ServeMux, opts *Options, p *transferPage) {
	c := opts.Control
	changed := func(_ bool, err error) error { return err }
	for name, do := range map[string]func(context.Context, tasks.Transfer) error{
		"pause":  func(ctx context.Context, t tasks.Transfer) error { return changed(c.Pause(ctx, t)) },
		"resume": func(ctx context.Context, t tasks.Transfer) error { return changed(c.Resume(ctx, t)) },
		"cancel": func(ctx context.Context, t tasks.Transfer) error { return changed(c.Cancel(ctx, t)) },
		"retry": func(ctx context.Context, t tasks.Transfer) error {
			_, err := c.Retry(ctx, t, tasks.ResultFilter{})
			return err
		},
	} {
		mux.HandleFunc("POST /transfers/{id}/"+name, func(w http.ResponseWriter, r *http.Request) {
			t, err := opts.Transfers.Transfer(r.Context(), r.PathValue("id"))
			if err == nil {
				err = do(r.Context(), t)
			}
			if err != nil {
				view := transferView{layout: p.layout}
				var status int
				status, view.Problem = p.sorry(r, err)
				p.send(w, r, status, "layout", view)
				return
			}
			opts.Log.InfoContext(r.Context(), "changed on the page", "transfer", t.UUID, "action", name, "remote", r.RemoteAddr)
			http.Redirect(w, r, "/transfers/"+t.UUID, http.StatusSeeOther)
		})
	}
}
