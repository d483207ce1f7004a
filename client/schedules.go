package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Schedule makes a transfer at each time of a cron expression.
type Schedule struct {
	Name         string     `json:"name"`
	Cron         string     `json:"cron"`
	Zone         string     `json:"time_zone"` // empty for a new one: UTC
	Overlap      string     `json:"overlap"`   // skip, queue or allow; empty for a new one: skip
	Paused       bool       `json:"paused"`
	Paths        []string   `json:"paths"`
	Recipe       string     `json:"recipe"` // empty for a new one: default
	Queue        string     `json:"queue"`  // empty for a new one: default
	Weight       int        `json:"weight"`
	StopAfter    string     `json:"stop_after"` // see Submission
	Deadline     string     `json:"deadline"`   // how long a run may take, such as 6h
	CreatedAt    time.Time  `json:"created_at"`
	DueAt        time.Time  `json:"due_at"`        // when it runs next, unless it is paused
	LastAt       *time.Time `json:"last_at"`       // the due time of the last run; nil: none
	LastTransfer string     `json:"last_transfer"` // its id
	LastError    string     `json:"last_error"`    // why the last run did not begin, or what it has found
}

// Schedules lists the schedules by name.
func (c *Client) Schedules(ctx context.Context) ([]Schedule, error) {
	var answer struct {
		Schedules []Schedule `json:"schedules"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: "/schedules"}, &answer)
	return answer.Schedules, err
}

// AddSchedule adds a schedule of paths that the server may read, and returns it with its next
// time. Of s it sends what says when and what to run.
func (c *Client) AddSchedule(ctx context.Context, s *Schedule) (added Schedule, err error) {
	body := struct {
		Name    string   `json:"name"`
		Cron    string   `json:"cron"`
		Zone    string   `json:"time_zone,omitempty"`
		Overlap string   `json:"overlap,omitempty"`
		Paths   []string `json:"paths"`
		Recipe  string   `json:"recipe,omitempty"`
		Queue   string   `json:"queue,omitempty"`
		Weight  int      `json:"weight,omitempty"`

		StopAfter string `json:"stop_after,omitempty"`
		Deadline  string `json:"deadline,omitempty"`
	}{s.Name, s.Cron, s.Zone, s.Overlap, s.Paths, s.Recipe, s.Queue, s.Weight, s.StopAfter, s.Deadline}
	err = c.call(ctx, request{method: http.MethodPost, path: "/schedules", body: body, once: true}, &added)
	return added, err
}

// RemoveSchedule removes a schedule; its transfers stay.
func (c *Client) RemoveSchedule(ctx context.Context, name string) error {
	return c.call(ctx, request{method: http.MethodDelete, path: "/schedules/" + url.PathEscape(name)}, nil)
}

// PauseSchedule keeps a schedule from beginning transfers, or lets it go on with its next time.
func (c *Client) PauseSchedule(ctx context.Context, name string, pause bool) error {
	if pause {
		return c.steerSchedule(ctx, name, "pause")
	}
	return c.steerSchedule(ctx, name, "resume")
}

// RunSchedule has a schedule run within seconds.
func (c *Client) RunSchedule(ctx context.Context, name string) error {
	return c.steerSchedule(ctx, name, "run")
}

func (c *Client) steerSchedule(ctx context.Context, name, verb string) error {
	return c.call(ctx, request{method: http.MethodPost, path: "/schedules/" + url.PathEscape(name) + "/" + verb}, nil)
}
