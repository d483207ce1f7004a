package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/tasks"
)

// startPage starts a transfer: a person chooses a folder and a recipe, looks at what
// that would register, and confirms.
type startPage struct {
	page

	opts *Options
}

type startView struct {
	layout
	Problem            string
	Roots, Recipes     []string
	Folder             *Folder
	Up, ShownPath      string
	Entries            []entryItem
	Path, TransferName string
	Recipe             string
	Description        string
	Flow               []flowStep
	RecipeProblem      string // why the recipe cannot be used
	Plan               *planItem
	Key, Back          string
}

type entryItem struct {
	Name, Href, Size string
	Dir              bool
}

type planItem struct {
	Files, Bytes, Problems string
	Partial                bool
	Left, Warnings         []string
	Extensions             []extensionItem
}

type extensionItem struct {
	Name, Files, Size string
	Bar               bar
}

// shownExtensions is how many extensions a plan lists.
const shownExtensions = 20

func newStartPage(opts *Options) (*startPage, error) {
	p, err := newPage(opts, "start.html", "/new")
	return &startPage{p, opts}, err
}

// ServeHTTP shows the form, or with the parameter look what would be registered. POST
// starts the transfer.
func (p *startPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := startView{layout: p.layoutFor(r)}
	status := http.StatusOK
	var err error
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		var t tasks.Transfer
		if t, err = p.start(r); err == nil {
			http.Redirect(w, r, "/transfers/"+t.UUID, http.StatusSeeOther)
			return
		}
		status, view.Problem = p.sorry(r, err)
	}
	q := r.URL.Query()
	if r.Method == http.MethodPost {
		q = r.PostForm
	}
	look := q.Has("look") && r.Method == http.MethodGet
	if err := p.fill(r.Context(), &view, q, look); err != nil {
		status, view.Problem = p.sorry(r, err)
	}
	p.send(w, r, status, "layout", view)
}

// start submits. The key that came with the plan makes one transfer of a form that is sent
// twice.
func (p *startPage) start(r *http.Request) (t tasks.Transfer, err error) {
	if err := readForm(r); err != nil {
		return t, err
	}
	s := submissionOf(r.PostForm)
	if s.IdempotencyKey = r.PostForm.Get("key"); len(s.IdempotencyKey) > 255 {
		s.IdempotencyKey = s.IdempotencyKey[:255]
	}
	t, created, err := p.opts.Starter.Submit(r.Context(), s)
	if err == nil && created {
		p.log.InfoContext(r.Context(), "submitted on the page", "transfer", t.UUID, "remote", r.RemoteAddr)
	}
	return t, err
}

func submissionOf(q url.Values) api.SubmissionRequest {
	s := api.SubmissionRequest{Recipe: q.Get("recipe"), Name: q.Get("name")}
	s.Paths = []string{q.Get("path")}
	return s
}

func (p *startPage) fill(ctx context.Context, v *startView, q url.Values, look bool) error {
	v.Roots, v.Recipes = p.opts.Starter.Roots(), p.opts.System.Recipes()
	v.Path, v.TransferName, v.Recipe = q.Get("path"), q.Get("name"), q.Get("recipe")
	if len(v.Roots) == 0 {
		return nil
	}
	if v.Path == "" {
		v.Path = v.Roots[0]
	}
	v.Path = filepath.Clean(v.Path)
	if !slices.Contains(v.Recipes, v.Recipe) {
		v.Recipe = "default"
	}
	if yaml, known := p.opts.System.Recipe(v.Recipe); known {
		if v.Flow, v.Description = flowOf(yaml); v.Flow == nil {
			v.RecipeProblem = visible(strings.TrimSpace(strings.ReplaceAll("\n"+yaml, "\n# ", "\n")))
		}
	}
	if look {
		q.Set("path", v.Path)
		plan, err := p.opts.Starter.Preview(ctx, submissionOf(url.Values{"path": {v.Path}, "recipe": {v.Recipe}, "name": {v.TransferName}}))
		if err == nil {
			v.plan(&plan)
			v.Key = "page-" + rand.Text()
			v.Back = "/new?" + v.query(v.Path).Encode()
			return nil
		}
		_ = p.folder(ctx, v) // the form says what is wrong with the path
		return err
	}
	return p.folder(ctx, v)
}

func (v *startView) query(path string) url.Values {
	q := url.Values{"path": {path}, "recipe": {v.Recipe}}
	if v.TransferName != "" {
		q.Set("name", v.TransferName)
	}
	return q
}

func (p *startPage) folder(ctx context.Context, v *startView) error {
	folder, err := p.opts.Starter.Folder(ctx, v.Path)
	if err != nil {
		return err
	}
	v.Folder, v.ShownPath = &folder, visible(folder.Path)
	if folder.Parent != "" {
		v.Up = "/new?" + v.query(folder.Parent).Encode()
	}
	for _, e := range folder.Entries {
		item := entryItem{Name: visible(e.Name), Href: "/new?" + v.query(e.Path).Encode(), Dir: e.Dir}
		if !e.Dir {
			item.Size = humanize.IBytes(uint64(max(0, e.Size)))
		}
		v.Entries = append(v.Entries, item)
	}
	return nil
}

func (v *startView) plan(p *SubmissionPreview) {
	plan := planItem{Files: quantity(p.Files, "file"), Bytes: humanize.IBytes(uint64(max(0, p.Bytes))), Partial: p.Partial, Left: p.Left}
	for _, w := range p.Warnings {
		plan.Warnings = append(plan.Warnings, visible(w))
	}
	if p.Problems > 0 {
		plan.Problems = humanize.Comma(p.Problems)
	}
	for i, e := range p.Extensions {
		if i == shownExtensions {
			break
		}
		name := visible(e.Extension)
		if name == "" {
			name = "none"
		}
		plan.Extensions = append(plan.Extensions, extensionItem{
			Name: name, Files: humanize.Comma(e.Files), Size: humanize.IBytes(uint64(max(0, e.Bytes))),
			Bar: barOf([]part{{"accent", "bytes", e.Bytes}}, p.Bytes),
		})
	}
	v.Plan = &plan
}
