package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

func (a *api) registerFleet(h huma.API) {
	tags := []string{"Fleet"}
	huma.Register(h, huma.Operation{
		OperationID: "list-workers", Method: http.MethodGet, Path: "/workers", Tags: tags, Summary: "List the live workers",
	}, a.workers)
	huma.Register(h, huma.Operation{
		OperationID: "set-worker-state", Method: http.MethodPut, Path: "/workers/{name}/state", Tags: tags,
		Summary: "Pause, resume or drain a worker", MaxBodyBytes: maxBody,
		Description:   "The worker applies it within seconds. A draining worker finishes its batches and ends.",
		DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.setWorkerState)
	huma.Register(h, huma.Operation{
		OperationID: "set-worker-log-level", Method: http.MethodPut, Path: "/workers/{name}/log-level", Tags: tags,
		Summary: "Change the log level of a worker", MaxBodyBytes: maxBody,
		Description:   "The worker applies it within seconds, until it ends. `configured` is the level of its settings.",
		DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.setWorkerLogLevel)
	huma.Register(h, huma.Operation{
		OperationID: "list-queues", Method: http.MethodGet, Path: "/queues", Tags: tags, Summary: "List the queues",
	}, a.queues)
	huma.Register(h, huma.Operation{
		OperationID: "set-queue-state", Method: http.MethodPut, Path: "/queues/{name}/state", Tags: tags,
		Summary: "Pause or resume a queue", MaxBodyBytes: maxBody,
		DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
	}, a.setQueueState)
	a.registerLimits(h)
}

type workersOutput struct {
	Body struct {
		Workers []workerItem `json:"workers" nullable:"false"`
	}
}

type workerItem struct {
	Name      string   `json:"name"`
	Version   string   `json:"version"`
	State     string   `json:"state" enum:"running,paused,draining" doc:"What a person has asked for."`
	Slots     int      `json:"slots" doc:"Batches that it runs at once."`
	Handlers  []string `json:"handlers" nullable:"false"`
	Queues    []string `json:"queues" nullable:"false"`
	Throttled []string `json:"throttled,omitempty" doc:"What has just kept batches out."`

	LimitsInUse map[string]int `json:"limits_in_use,omitempty" doc:"Batches of each limit that it runs or has reserved, by scope and name."`

	LogLevel string `json:"log_level,omitempty" doc:"What a person has set; absent: that of its settings."`

	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at"`
	Trouble   string    `json:"trouble,omitempty" doc:"Why what the database says of it cannot be read; it counts as paused then."`
}

// states are the desired states as the API names them.
func states() map[string]tasks.DesiredState {
	return map[string]tasks.DesiredState{
		"running": tasks.WorkerRunning, "paused": tasks.WorkerPaused, "draining": tasks.WorkerDraining,
	}
}

func (a *api) workers(ctx context.Context, _ *struct{}) (*workersOutput, error) {
	all, err := a.Fleet.Workers(ctx)
	if err != nil {
		return nil, a.internalError(ctx, "list workers", err)
	}
	out := new(workersOutput)
	out.Body.Workers = make([]workerItem, len(all))
	for i := range all {
		w := &all[i]
		item := workerItem{
			Name: w.Name, Version: w.Version, Slots: w.Slots, Handlers: w.Handlers, Queues: w.Queues, Throttled: w.Throttled,
			LimitsInUse: w.LimitsInUse, LogLevel: w.LogLevel, StartedAt: w.StartedAt, SeenAt: w.SeenAt, Trouble: w.Trouble,
		}
		for name, state := range states() {
			if state == w.DesiredState {
				item.State = name
			}
		}
		out.Body.Workers[i] = item
	}
	return out, nil
}

type workerStateInput struct {
	Name string `path:"name" maxLength:"128"`
	Body struct {
		State string `json:"state" enum:"running,paused,draining"`
	}
}

func (a *api) setWorkerState(ctx context.Context, in *workerStateInput) (*struct{}, error) {
	if err := a.Fleet.SetWorkerState(ctx, in.Name, states()[in.Body.State]); err != nil {
		return nil, a.answer(ctx, "set the state of the worker", err)
	}
	return nil, nil //nolint:nilnil // huma: no content
}

type workerLogLevelInput struct {
	Name string `path:"name" maxLength:"128"`
	Body struct {
		Level string `json:"level" enum:"debug,info,warn,error,configured"`
	}
}

func (a *api) setWorkerLogLevel(ctx context.Context, in *workerLogLevelInput) (*struct{}, error) {
	if err := a.Fleet.SetWorkerLogLevel(ctx, in.Name, in.Body.Level); err != nil {
		return nil, a.answer(ctx, "set the log level of the worker", err)
	}
	return nil, nil //nolint:nilnil // huma: no content
}

type queuesOutput struct {
	Body struct {
		Queues []queueItem `json:"queues" nullable:"false"`
	}
}

type queueItem struct {
	queue.Stats

	AgeSeconds float64 `json:"age_seconds" doc:"How long the oldest pending batch has waited."`
}

func (a *api) queues(ctx context.Context, _ *struct{}) (*queuesOutput, error) {
	all, err := a.Fleet.Queues(ctx)
	if err != nil {
		return nil, a.internalError(ctx, "list queues", err)
	}
	out := new(queuesOutput)
	out.Body.Queues = make([]queueItem, len(all))
	for i := range all {
		out.Body.Queues[i] = queueItem{all[i], float64(all[i].Age.Milliseconds()) / 1000}
	}
	return out, nil
}

type queueStateInput struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		State string `json:"state" enum:"running,paused"`
	}
}

func (a *api) setQueueState(ctx context.Context, in *queueStateInput) (*struct{}, error) {
	if err := a.Fleet.PauseQueue(ctx, in.Name, in.Body.State == "paused"); err != nil {
		return nil, a.answer(ctx, "set the state of the queue", err)
	}
	return nil, nil //nolint:nilnil // huma: no content
}
