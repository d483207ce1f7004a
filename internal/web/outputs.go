package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// OutputFiles finds the files that final steps have written.
type OutputFiles interface {
	// Outputs lists the files that final steps of a transfer wrote, as they are now.
	Outputs(ctx context.Context, t tasks.Transfer) ([]OutputFile, error)

	// OpenOutput opens one of them, when it is still what the step wrote.
	OpenOutput(ctx context.Context, t tasks.Transfer, path string) (io.ReadSeekCloser, error)
}

// OutputFile is a file that a final step wrote.
type OutputFile struct {
	Step, Path string
	Size       int64
}

type outputItem struct{ Name, Size, Href string }

// outputsOf lists what each final step has written.
func outputsOf(ctx context.Context, o OutputFiles, t *tasks.Transfer) (map[string][]outputItem, error) {
	of := make(map[string][]outputItem)
	if o == nil {
		return of, nil
	}
	all, err := o.Outputs(ctx, *t)
	if err != nil {
		return nil, err
	}
	for i, out := range all {
		of[out.Step] = append(of[out.Step], outputItem{
			Name: visible(filepath.Base(out.Path)), Size: humanize.IBytes(uint64(max(0, out.Size))),
			Href: "/transfers/" + t.UUID + "/outputs/" + strconv.Itoa(i+1) + "/" + url.PathEscape(filepath.Base(out.Path)),
		})
	}
	return of, nil
}

// mountOutputs registers the downloads of what final steps wrote.
func mountOutputs(mux *http.ServeMux, opts *Options, p *transferPage) {
	mux.HandleFunc("GET /transfers/{id}/outputs/{no}/{name}", func(w http.ResponseWriter, r *http.Request) {
		file, out, err := openOutput(r.Context(), opts, r.PathValue("id"), r.PathValue("no"))
		if err != nil {
			view := transferView{layout: p.layoutFor(r), Self: r.URL.Path}
			var status int
			status, view.Problem = p.sorry(r, err)
			p.send(w, r, status, "layout", view)
			return
		}
		defer file.Close()
		// As a download: what is in it was not written for this site.
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(filepath.Base(out.Path)))
		http.ServeContent(w, r, "", time.Time{}, file)
	})
}

func openOutput(ctx context.Context, opts *Options, id, no string) (io.ReadSeekCloser, OutputFile, error) {
	t, err := opts.Transfers.Transfer(ctx, id)
	if err != nil {
		return nil, OutputFile{}, err
	}
	all, err := opts.Outputs.Outputs(ctx, t)
	if err != nil {
		return nil, OutputFile{}, err
	}
	n, err := strconv.Atoi(no)
	if err != nil || n < 1 || n > len(all) {
		return nil, OutputFile{}, missing("There is no such output of this transfer.")
	}
	file, err := opts.Outputs.OpenOutput(ctx, t, all[n-1].Path)
	return file, all[n-1], err
}
