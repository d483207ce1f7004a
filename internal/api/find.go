package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/tasks"
)

func (a *api) registerFind(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "find-transfer", Method: http.MethodGet, Path: "/transfers/find", Tags: []string{tagTransfers},
		Summary: "Find a transfer",
		Description: "By what people call it: its number, its id or the beginning of it, its name, or latest. " +
			"When several fit, the answer is 409 and lists them.",
		Errors: []int{http.StatusNotFound, http.StatusGone, http.StatusConflict},
	}, a.findByRef)
}

type findInput struct {
	Ref string `query:"ref" required:"true" minLength:"1" maxLength:"255" doc:"Number, id, beginning of the id, name, or latest."`
}

func (a *api) findByRef(ctx context.Context, in *findInput) (*getOutput, error) {
	t, err := a.Results.FindTransfer(ctx, in.Ref)
	if _, gone := errors.AsType[*tasks.DeletedError](err); gone {
		return nil, problem(http.StatusGone, err.Error())
	}
	if err != nil {
		return nil, a.answer(ctx, "find the transfer", err)
	}
	if t, err = a.find(ctx, t.UUID); err != nil { // with what it waits for
		return nil, err
	}
	return a.summary(&t), nil
}
