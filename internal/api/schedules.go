package api

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/balerhq/baler/internal/schedule"
)

// Scheduler keeps schedules. Changes of one that does not exist are schedule.ErrNotFound.
type Scheduler interface {
	Schedules(ctx context.Context) ([]schedule.Schedule, error)

	// AddSchedule adds a schedule. An error that a client can correct is a *RequestError.
	AddSchedule(ctx context.Context, s schedule.Schedule) (schedule.Schedule, error)
	RemoveSchedule(ctx context.Context, name string) error
	PauseSchedule(ctx context.Context, name string, pause bool) error

	// RunSchedule has a schedule run within seconds.
	RunSchedule(ctx context.Context, name string) error
}

const schedulesPath = "/schedules"

func (a *api) registerSchedules(h huma.API) {
	tags := []string{"Schedules"}
	huma.Register(h, huma.Operation{
		OperationID: "list-schedules", Method: http.MethodGet, Path: schedulesPath, Tags: tags, Summary: "List the schedules",
	}, a.schedules)
	huma.Register(h, huma.Operation{
		OperationID: "add-schedule", Method: http.MethodPost, Path: schedulesPath, Tags: tags, Summary: "Add a schedule",
		Description: "The server, another one or a worker makes its transfer at each due time, once. Times that were missed are " +
			"caught up once.",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusForbidden, http.StatusConflict, http.StatusUnprocessableEntity},
	}, a.addSchedule)
	for _, op := range []struct {
		id, method, path, summary string
		do                        func(context.Context, string) error
	}{
		{"remove-schedule", http.MethodDelete, "", "Remove a schedule; its transfers stay", a.Scheduler.RemoveSchedule},
		{"run-schedule", http.MethodPost, "/run", "Run a schedule within seconds", a.Scheduler.RunSchedule},
		{"pause-schedule", http.MethodPost, "/pause", "Pause a schedule", func(ctx context.Context, name string) error {
			return a.Scheduler.PauseSchedule(ctx, name, true)
		}},
		{"resume-schedule", http.MethodPost, "/resume", "Resume a schedule with its next time", func(ctx context.Context, name string) error {
			return a.Scheduler.PauseSchedule(ctx, name, false)
		}},
	} {
		huma.Register(h, huma.Operation{
			OperationID: op.id, Method: op.method, Path: schedulesPath + "/{name}" + op.path, Tags: tags, Summary: op.summary,
			DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusNotFound},
		}, func(ctx context.Context, in *scheduleInput) (*struct{}, error) {
			err := op.do(ctx, in.Name)
			if errors.Is(err, schedule.ErrNotFound) {
				return nil, problem(http.StatusNotFound, err.Error())
			}
			if err != nil {
				return nil, a.answer(ctx, "change the schedule", err)
			}
			return nil, nil //nolint:nilnil // huma: no content
		})
	}
}

type scheduleInput struct {
	Name string `path:"name" maxLength:"64"`
}

type addScheduleInput struct {
	Body struct {
		Name      string   `json:"name" maxLength:"64" doc:"Small letters, digits and the characters . _ @ -; its transfers have it too."`
		Cron      string   `json:"cron" maxLength:"255" doc:"Minute, hour, day, month and day of the week, or such as @daily or @every 6h."`
		Zone      string   `json:"time_zone,omitempty" maxLength:"64" doc:"Such as Europe/Berlin; default: UTC."`
		Overlap   string   `json:"overlap,omitempty" enum:"skip,queue,allow" doc:"What to do while the run before goes on; default: skip."`
		Paths     []string `json:"paths" minItems:"1" maxItems:"1000" doc:"Absolute paths of files and folders that the server may read."`
		Recipe    string   `json:"recipe,omitempty" maxLength:"255" doc:"The name of a recipe that the server knows; default: default."`
		Queue     string   `json:"queue,omitempty" maxLength:"64" doc:"Default: default."`
		StopAfter string   `json:"stop_after,omitempty" maxLength:"32" doc:"Failures that stop it: 5%, 100 or none."`
		Deadline  string   `json:"deadline,omitempty" maxLength:"32" doc:"How long a run may take, such as 6h; none; default: the recipe's."`
		Weight    int      `json:"weight,omitempty" minimum:"0" maximum:"100" doc:"Its share beside others of its queue; default: 1."`
	}
}

type scheduleOutput struct {
	Body scheduleItem
}

type schedulesOutput struct {
	Body struct {
		Schedules []scheduleItem `json:"schedules" nullable:"false"`
	}
}

type scheduleItem struct {
	Name         string           `json:"name"`
	Cron         string           `json:"cron"`
	Zone         string           `json:"time_zone"`
	Overlap      schedule.Overlap `json:"overlap" enum:"skip,queue,allow"`
	Paused       bool             `json:"paused"`
	Paths        []string         `json:"paths" nullable:"false"`
	Recipe       string           `json:"recipe"`
	Queue        string           `json:"queue"`
	Weight       int              `json:"weight"`
	StopAfter    string           `json:"stop_after,omitempty"`
	Deadline     string           `json:"deadline,omitempty"`
	CreatedAt    time.Time        `json:"created_at"`
	DueAt        time.Time        `json:"due_at" doc:"When it runs next, unless it is paused."`
	LastAt       *time.Time       `json:"last_at,omitempty" doc:"The due time of the last run."`
	LastTransfer string           `json:"last_transfer,omitempty" doc:"The id of its transfer."`
	LastError    string           `json:"last_error,omitempty" doc:"Why the last run did not begin, or what it has found."`
}

func itemOfSchedule(s *schedule.Schedule) scheduleItem {
	return scheduleItem{
		Name: s.Name, Cron: s.Cron, Zone: cmp.Or(s.Zone, "UTC"), Overlap: s.Overlap, Paused: s.Paused, Paths: s.Paths, Recipe: s.Recipe,
		Queue: s.Queue, Weight: s.Weight, StopAfter: s.StopAfter, Deadline: s.Deadline, CreatedAt: s.CreatedAt, DueAt: s.DueAt,
		LastAt: unlessZero(s.LastAt), LastTransfer: s.LastTransfer, LastError: s.LastError,
	}
}

func (a *api) schedules(ctx context.Context, _ *struct{}) (*schedulesOutput, error) {
	all, err := a.Scheduler.Schedules(ctx)
	if err != nil {
		return nil, a.internalError(ctx, "list schedules", err)
	}
	out := new(schedulesOutput)
	out.Body.Schedules = make([]scheduleItem, len(all))
	for i := range all {
		out.Body.Schedules[i] = itemOfSchedule(&all[i])
	}
	return out, nil
}

func (a *api) addSchedule(ctx context.Context, in *addScheduleInput) (*scheduleOutput, error) {
	b := &in.Body
	added, err := a.Scheduler.AddSchedule(ctx, schedule.Schedule{
		Name: b.Name, Cron: b.Cron, Zone: b.Zone, Overlap: schedule.Overlap(b.Overlap), Paths: b.Paths, Recipe: b.Recipe,
		Queue: b.Queue, Weight: b.Weight, StopAfter: b.StopAfter, Deadline: b.Deadline,
	})
	if err != nil {
		return nil, a.answer(ctx, "add the schedule", err)
	}
	return &scheduleOutput{Body: itemOfSchedule(&added)}, nil
}
