package web

import (
	"github.com/balerhq/baler/recipe"
)

// flowStep is a step of a recipe as pages draw it.
type flowStep struct {
	Name, Handler, When string
	Final               bool
}

// flowOf are the steps of a recipe; none when it cannot be read.
func flowOf(yaml string) (steps []flowStep, description string) {
	r, err := recipe.Parse("recipe", []byte(yaml))
	if err != nil {
		return nil, ""
	}
	for _, s := range r.Steps {
		steps = append(steps, flowStep{Name: visible(s.Name), Handler: visible(s.Handler), When: visible(s.When)})
	}
	for _, s := range r.FinalSteps {
		steps = append(steps, flowStep{Name: visible(s.Name), Handler: visible(s.Handler), Final: true})
	}
	return steps, visible(r.Description)
}
