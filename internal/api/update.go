package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/tasks"
)

func (a *api) registerUpdate(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "update-transfer", Method: http.MethodPatch, Path: "/transfers/{id}", Tags: tagControl(),
		Summary:      "Change the weight or the deadline of a transfer, or how many failures stop it",
		Description:  "Takes effect within a second. What the request leaves out stays.",
		MaxBodyBytes: maxBody,
		Errors:       []int{http.StatusNotFound, http.StatusGone, http.StatusConflict, http.StatusUnprocessableEntity},
	}, a.update)
}

type updateInput struct {
	TransferInput

	Body struct {
		Weight *int `json:"weight,omitempty" minimum:"1" maximum:"100" doc:"Its share beside others of its queue."`

		Deadline *string `json:"deadline,omitempty" maxLength:"32" doc:"When to cancel it: a duration such as 6h, a time of RFC 3339, or none."`

		StopAfter *string `json:"stop_after,omitempty" maxLength:"32" doc:"Failures that stop it: a share such as 5%, a number, or none."`
	}
}

func (a *api) update(ctx context.Context, in *updateInput) (*getOutput, error) {
	c := tasks.TransferChange{Weight: in.Body.Weight}
	if in.Body.StopAfter != nil {
		limit, err := tasks.ParseStopAfter(*in.Body.StopAfter)
		if err != nil {
			return nil, invalid("body.stop_after", *in.Body.StopAfter, err.Error())
		}
		c.StopAfter = &limit
	}
	if in.Body.Deadline != nil {
		deadline, err := tasks.ParseDeadlineChange(*in.Body.Deadline)
		if err != nil {
			return nil, invalid("body.deadline", *in.Body.Deadline, err.Error())
		}
		c.Deadline = &deadline
	}
	if err := c.Check(); err != nil {
		return nil, invalid("body", nil, err.Error())
	}
	t, err := a.find(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if t.State.Ended() {
		return nil, problem(http.StatusConflict, "The transfer has ended.")
	}
	return a.control(ctx, &in.TransferInput, "change the transfer", func(ctx context.Context, t tasks.Transfer) (bool, error) {
		return a.Control.Update(ctx, t, c)
	})
}
