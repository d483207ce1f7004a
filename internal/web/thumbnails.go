package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/balerhq/baler/tasks"
)

// Thumbnails shows small pictures that steps have made of files.
type Thumbnails interface {
	// HaveThumbnails tells of which of the files there are pictures.
	HaveThumbnails(ctx context.Context, t *tasks.Transfer, files tasks.Ranges) (map[int64]bool, error)

	// Thumbnail reads one of a file: a JPEG of a few megabytes at most. The error is a
	// *api.RequestError when there is none that may be shown.
	Thumbnail(ctx context.Context, t *tasks.Transfer, file int64) ([]byte, error)
}

// thumbnailPolicy is the policy of a picture: opened by itself, it loads and runs nothing.
const thumbnailPolicy = "default-src 'none'; sandbox"

// mountThumbnails registers the pictures of files.
func mountThumbnails(mux *http.ServeMux, opts *Options, p *transferPage) {
	mux.HandleFunc("GET /transfers/{id}/files/{no}/thumbnail", func(w http.ResponseWriter, r *http.Request) {
		t, err := opts.Transfers.Transfer(r.Context(), r.PathValue("id"))
		var picture []byte
		if err == nil {
			no, bad := strconv.ParseInt(r.PathValue("no"), 10, 64)
			if err = errNoFile(); bad == nil && no > 0 {
				picture, err = opts.Thumbnails.Thumbnail(r.Context(), &t, no)
			}
		}
		if err != nil {
			view := transferView{layout: p.layoutFor(r), Self: r.URL.Path}
			var status int
			status, view.Problem = p.sorry(r, err)
			p.send(w, r, status, "layout", view)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "image/jpeg")
		h.Set("Content-Length", strconv.Itoa(len(picture)))
		h.Set("Content-Security-Policy", thumbnailPolicy)
		h.Set("Cache-Control", "private, max-age=300") // a list shows fifty
		// A client that went away is its own matter.
		_, _ = w.Write(picture)
	})
}

// addThumbnails sets the pictures of files on a page.
func addThumbnails(ctx context.Context, shown Thumbnails, t *tasks.Transfer, rows []fileItem) error {
	if shown == nil || len(rows) == 0 {
		return nil
	}
	numbers := make([]int64, len(rows))
	for i := range rows {
		numbers[i] = rows[i].Number
	}
	have, err := shown.HaveThumbnails(ctx, t, tasks.NewRanges(numbers))
	for i := range rows {
		if have[rows[i].Number] {
			rows[i].Thumbnail = rows[i].Href + "/thumbnail"
		}
	}
	return err
}
