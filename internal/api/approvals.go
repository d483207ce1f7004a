package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/tasks"
)

func (a *api) registerApprovals(h huma.API) {
	for _, op := range []struct {
		id, verb, summary, description string
		reject                         bool
	}{
		{"approve-step", "approve", "Approve a step that waits for a person",
			"Lets the files of the step run. The first decision holds; a later one is a conflict.", false},
		{"reject-step", "reject", "Reject a step that waits for a person", "Cancels the transfer. Results stay.", true},
	} {
		huma.Register(h, huma.Operation{
			OperationID: op.id, Method: http.MethodPost, Path: "/transfers/{id}/" + op.verb, Tags: tagControl(),
			Summary: op.summary, Description: op.description, MaxBodyBytes: maxBody,
			Errors: []int{http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnprocessableEntity},
		}, func(ctx context.Context, in *decisionInput) (*getOutput, error) {
			return a.decide(ctx, in, op.reject)
		})
	}
}

type decisionInput struct {
	TransferInput

	Body *decisionBody `required:"false"`
}

type decisionBody struct {
	Step    string `json:"step,omitempty" maxLength:"64" doc:"The name of the step; default: the first that waits."`
	Comment string `json:"comment,omitempty" maxLength:"1000" doc:"For the audit log and the page."`
}

func (a *api) decide(ctx context.Context, in *decisionInput, reject bool) (*getOutput, error) {
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	d := tasks.Decision{Reject: reject}
	if in.Body != nil {
		d.Step, d.Comment = in.Body.Step, in.Body.Comment
	}
	if _, err := a.Control.Decide(ctx, t, d); err != nil {
		return nil, a.answer(ctx, "decide about the step", err)
	}
	if t, err = a.find(ctx, in.ID); err != nil {
		return nil, err
	}
	out := a.summary(&t)
	out.Body.Changed = true
	return out, nil
}
