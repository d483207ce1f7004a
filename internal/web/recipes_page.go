package web

import (
	"net/http"
	"net/url"
)

// recipesPage shows the recipes that the server knows, or one of them.
type recipesPage struct {
	page

	opts *Options
}

type recipesView struct {
	layout
	Problem, Current, Description, YAML string
	Recipes                             []recipeItem
	Flow                                []flowStep
}

type recipeItem struct {
	Name, Href, Description string
	Flow                    []flowStep
}

func newRecipesPage(opts *Options) (*recipesPage, error) {
	p, err := newPage(opts, "recipes.html", "/recipes")
	return &recipesPage{p, opts}, err
}

func (p *recipesPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := recipesView{layout: p.layoutFor(r)}
	status := http.StatusOK
	name := r.PathValue("name")
	if name == "" {
		for _, name := range p.opts.System.Recipes() {
			item := recipeItem{Name: visible(name), Href: "/recipes/" + url.PathEscape(name)}
			if yaml, known := p.opts.System.Recipe(name); known {
				item.Flow, item.Description = flowOf(yaml)
			}
			view.Recipes = append(view.Recipes, item)
		}
	} else if yaml, known := p.opts.System.Recipe(name); known {
		view.Current, view.YAML = visible(name), visible(yaml)
		view.Flow, view.Description = flowOf(yaml)
	} else {
		status, view.Problem = p.sorry(r, missing("The server knows no recipe of this name."))
	}
	p.send(w, r, status, "layout", view)
}
