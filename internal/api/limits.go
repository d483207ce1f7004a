package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/tasks"
)

func (a *api) registerLimits(h huma.API) {
	tags := []string{"Fleet"}
	huma.Register(h, huma.Operation{
		OperationID: "list-limits", Method: http.MethodGet, Path: "/limits", Tags: tags, Summary: "List the limits of all workers together",
	}, a.limits)
	huma.Register(h, huma.Operation{
		OperationID: "set-limit", Method: http.MethodPut, Path: "/limits", Tags: tags, Summary: "Limit all workers together",
		Description: "Globally, in one queue, for one transfer, for one handler, or for all steps that use a name. " +
			"Workers apply it within seconds; running batches continue. A bound that the request leaves out stays.",
		MaxBodyBytes: maxBody, Errors: []int{http.StatusConflict, http.StatusUnprocessableEntity},
	}, a.setLimit)
}

type limitsOutput struct {
	Body struct {
		Limits []limitItem `json:"limits" nullable:"false"`
	}
}

type limitItem struct {
	Scope          tasks.Scope `json:"scope" enum:"all,queue,transfer,handler,name"`
	Name           string      `json:"name,omitempty" doc:"Queue, handler, limit, or the transfer's id; absent for all."`
	InFlight       int         `json:"in_flight,omitempty" doc:"Batches that run at once; absent: no limit."`
	FilesPerSecond float64     `json:"files_per_second,omitempty" doc:"Absent: no limit."`
	PerHost        int         `json:"per_host,omitempty" doc:"Batches that run at once on one host; absent: no limit."`
	Weight         int         `json:"weight,omitempty" doc:"Of a queue, in place of that in the configuration of workers; absent: that one."`
	Trouble        string      `json:"trouble,omitempty" doc:"Why the limit cannot be read; as little as possible runs then."`
	Note           string      `json:"note,omitempty" doc:"Why it may be a mistake: no live worker has the handler or serves the queue."`
}

func (a *api) limits(ctx context.Context, _ *struct{}) (*limitsOutput, error) {
	all, err := a.Fleet.Limits(ctx)
	if err != nil {
		return nil, a.internalError(ctx, "list limits", err)
	}
	out := new(limitsOutput)
	out.Body.Limits = make([]limitItem, len(all))
	for i, l := range all {
		out.Body.Limits[i] = limitItem{l.Scope, l.Name, l.InFlight, l.FilesPerSecond, l.PerHost, l.Weight, l.Trouble, l.Note}
	}
	return out, nil
}

type limitInput struct {
	Body struct {
		Scope          tasks.Scope `json:"scope" enum:"all,queue,transfer,handler,name"`
		Name           string      `json:"name,omitempty" maxLength:"64" doc:"Queue, handler, limit, or the transfer's id; absent for all."`
		InFlight       *int        `json:"in_flight,omitempty" minimum:"0" maximum:"2147483647" doc:"Batches that run at once; 0: no limit."`
		FilesPerSecond *float64    `json:"files_per_second,omitempty" minimum:"0" maximum:"2147483647" doc:"0: no limit."`
		PerHost        *int        `json:"per_host,omitempty" minimum:"0" maximum:"2147483647" doc:"Batches at once on one host; 0: no limit."`
		Weight         *int        `json:"weight,omitempty" minimum:"0" maximum:"100" doc:"Of a queue; 0: that of the workers' configuration."`
	}
}

type limitOutput struct {
	Body limitItem
}

func (a *api) setLimit(ctx context.Context, in *limitInput) (*limitOutput, error) {
	scope, name := in.Body.Scope, in.Body.Name
	switch {
	case in.Body.Weight != nil && scope != tasks.ScopeQueue:
		return nil, invalid("body.weight", *in.Body.Weight, "only a queue has a weight here")
	case scope == tasks.ScopeAll && name != "":
		return nil, invalid("body.name", name, "the limit of everything has no name")
	case scope == tasks.ScopeQueue:
		if err := tasks.CheckQueue(name); err != nil || name == "" {
			return nil, invalid("body.name", name, "not the name of a queue")
		}
	case scope == tasks.ScopeHandler, scope == tasks.ScopeName:
		if err := tasks.CheckLimitName(name); err != nil {
			return nil, invalid("body.name", name, err.Error())
		}
	case scope == tasks.ScopeTransfer:
		t, err := a.find(ctx, name)
		if err != nil {
			return nil, err
		}
		if t.State.Ended() {
			return nil, problem(http.StatusConflict, "The transfer has ended.")
		}
		name = t.UUID
	}
	l, err := a.Fleet.SetLimit(ctx, scope, name, tasks.LimitChange{
		InFlight: in.Body.InFlight, FilesPerSecond: in.Body.FilesPerSecond, PerHost: in.Body.PerHost,
		Weight: in.Body.Weight,
	})
	if err != nil {
		return nil, a.answer(ctx, "set the limit", err)
	}
	return &limitOutput{Body: limitItem{l.Scope, l.Name, l.InFlight, l.FilesPerSecond, l.PerHost, l.Weight, l.Trouble, l.Note}}, nil
}
