package web

import (
	"errors"
	"net/http"
)

// mountPages registers the pages and the API.
func mountPages(mux *http.ServeMux, opts *Options) error {
	one, err := newTransferPage(opts)
	if err != nil {
		return err
	}
	mux.Handle("GET /transfers/{id}", one)
	if opts.Control != nil {
		mountActions(mux, opts, one)
	}
	if opts.Outputs != nil {
		mountOutputs(mux, opts, one)
	}
	if opts.Thumbnails != nil {
		mountThumbnails(mux, opts, one)
	}
	return errors.Join(
		mountPage(mux, true, "GET /{$}", opts, newTransfersPage),
		mountPage(mux, opts.Results != nil, "GET /transfers/{id}/results", opts, newResultsPage),
		mountPage(mux, opts.Results != nil, "GET /transfers/{id}/failures", opts, newFailuresPage),
		mountPage(mux, opts.Files != nil && opts.Results != nil, "GET /transfers/{id}/files", opts, newFilesPage),
		mountPage(mux, opts.Files != nil && opts.Results != nil, "GET /transfers/{id}/files/{no}", opts, newFilePage),
		mountPage(mux, opts.System != nil, "GET /workers", opts, newWorkersPage),
		mountPage(mux, opts.System != nil && opts.Fleet != nil, "POST /workers", opts, newWorkersPage),
		mountPage(mux, opts.System != nil && opts.Fleet != nil && opts.Results != nil, "POST /limits", opts, newLimitSetter),
		mountPage(mux, opts.System != nil, "GET /recipes", opts, newRecipesPage),
		mountPage(mux, opts.System != nil, "GET /recipes/{name}", opts, newRecipesPage),
		mountPage(mux, opts.Letters != nil, "GET /dead-letters", opts, newDeadLettersPage),
		mountPage(mux, opts.Letters != nil && opts.Fleet != nil, "POST /dead-letters", opts, newDeadLettersPage),
		mountPage(mux, opts.Formats != nil, "GET /transfers/{id}/formats", opts, newFormatsPage),
		mountPage(mux, opts.Fixity != nil && opts.Files != nil && opts.Results != nil, "GET /transfers/{id}/fixity", opts, newFixityPage),
		mountPage(mux, opts.Starter != nil && opts.System != nil, "GET /new", opts, newStartPage),
		mountPage(mux, opts.Starter != nil && opts.System != nil, "POST /new", opts, newStartPage),
		mountAssets(mux), mountLogin(mux, opts), mountAudit(mux, opts), mountSchedules(mux, opts), mountAPI(mux, opts),
	)
}

// mountPage registers a page that exists when a part of the options does.
func mountPage[P http.Handler](mux *http.ServeMux, exists bool, pattern string, opts *Options, newPage func(*Options) (P, error)) error {
	if !exists {
		return nil
	}
	p, err := newPage(opts)
	if err == nil {
		mux.Handle(pattern, p)
	}
	return err
}
