package web

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/balerhq/baler/internal/api"

	"github.com/danielgtaylor/huma/v2"
)

// docsOperation is one operation as the documentation page shows it.
type docsOperation struct {
	Method, Path         string
	Summary, Description string
	Parameters           []docsParameter
	Answers              []docsAnswer
}

type docsParameter struct{ Name, In, Description string }

type docsAnswer struct{ Code, Description string }

type docsView struct {
	layout
	Operations []docsOperation
}

// docsPage describes the operations, which do not change while the process runs.
type docsPage struct {
	page

	operations []docsOperation
}

func newDocsPage(described *huma.OpenAPI, opts *Options) (*docsPage, error) {
	p, err := newPage(opts, "docs.html", "")
	return &docsPage{p, operationsOf(described)}, err
}

func (p *docsPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.send(w, r, http.StatusOK, "layout", docsView{layout: p.layoutFor(r), Operations: p.operations})
}

// operationsOf lists the operations by path, with reads before writes.
func operationsOf(api *huma.OpenAPI) []docsOperation {
	var all []docsOperation
	for path, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, describe(path, op))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b docsOperation) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

func describe(path string, op *huma.Operation) docsOperation {
	d := docsOperation{Method: op.Method, Path: api.Root + path, Summary: op.Summary, Description: op.Description}
	for _, p := range op.Parameters {
		d.Parameters = append(d.Parameters, docsParameter{Name: p.Name, In: p.In, Description: p.Description})
	}
	for code, r := range op.Responses {
		d.Answers = append(d.Answers, docsAnswer{Code: code, Description: cmp.Or(r.Description, http.StatusText(op.DefaultStatus))})
	}
	slices.SortFunc(d.Answers, func(a, b docsAnswer) int { return cmp.Compare(a.Code, b.Code) })
	return d
}
