package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (a *api) registerRecipes(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "list-recipes", Method: http.MethodGet, Path: "/recipes", Tags: []string{tagSubmitting},
		Summary: "List the recipes that the server knows",
	}, a.recipes)
	huma.Register(h, huma.Operation{
		OperationID: "get-recipe", Method: http.MethodGet, Path: "/recipes/{name}", Tags: []string{tagSubmitting},
		Summary: "Show a recipe", Description: "As YAML.", Errors: []int{http.StatusNotFound},
	}, a.recipe)
}

type recipesOutput struct {
	Body struct {
		Recipes []string `json:"recipes" nullable:"false"`
	}
}

func (a *api) recipes(context.Context, *struct{}) (*recipesOutput, error) {
	out := new(recipesOutput)
	out.Body.Recipes = a.Submitter.Recipes()
	return out, nil
}

type recipeInput struct {
	Name string `path:"name" maxLength:"255"`
}

type recipeOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (a *api) recipe(_ context.Context, in *recipeInput) (*recipeOutput, error) {
	yaml, known := a.Submitter.Recipe(in.Name)
	if !known {
		return nil, problem(http.StatusNotFound, "The server knows no recipe of this name. "+Root+"/recipes lists those that it knows.")
	}
	return &recipeOutput{ContentType: "application/yaml", Body: []byte(yaml)}, nil
}
