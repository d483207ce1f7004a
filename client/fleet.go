package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Worker is a live worker.
type Worker struct {
	Name        string         `json:"name"`
	Version     string         `json:"version"`
	State       string         `json:"state"` // running, paused or draining: what a person has asked for
	Slots       int            `json:"slots"` // batches that it runs at once
	Handlers    []string       `json:"handlers"`
	Queues      []string       `json:"queues"`
	Throttled   []string       `json:"throttled"`
	LimitsInUse map[string]int `json:"limits_in_use"`
	LogLevel    string         `json:"log_level"` // that a person has set; empty: that of its settings
	StartedAt   time.Time      `json:"started_at"`
	SeenAt      time.Time      `json:"seen_at"`
	Trouble     string         `json:"trouble"` // why what the database says of it cannot be read
}

// Workers lists the live workers.
func (c *Client) Workers(ctx context.Context) ([]Worker, error) {
	var answer struct {
		Workers []Worker `json:"workers"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: "/workers"}, &answer)
	return answer.Workers, err
}

// SetWorkerState lets a worker run, pause it or drain it: "running", "paused" or "draining".
func (c *Client) SetWorkerState(ctx context.Context, name, state string) error {
	return c.setState(ctx, "/workers/", name, state)
}

// SetWorkerLogLevel sets the log level of a worker: "debug", "info", "warn", "error", or
// "configured" for that of its settings.
func (c *Client) SetWorkerLogLevel(ctx context.Context, name, level string) error {
	body := struct {
		Level string `json:"level"`
	}{level}
	return c.call(ctx, request{method: http.MethodPut, path: "/workers/" + url.PathEscape(name) + "/log-level", body: body}, nil)
}

func (c *Client) setState(ctx context.Context, under, name, state string) error {
	body := struct {
		State string `json:"state"`
	}{state}
	return c.call(ctx, request{method: http.MethodPut, path: under + url.PathEscape(name) + "/state", body: body}, nil)
}

// Queue is a queue with its backlog.
type Queue struct {
	Name     string  `json:"queue"`
	Paused   bool    `json:"paused"`
	Pending  int     `json:"pending"`  // batches that wait
	Active   int     `json:"active"`   // batches that workers run
	Retrying int     `json:"retrying"` // batches that went back and wait a moment
	Grouped  int     `json:"grouped"`  // files that wait to be collected into batches
	Age      float64 `json:"age_seconds"`
}

// Queues lists the queues.
func (c *Client) Queues(ctx context.Context) ([]Queue, error) {
	var answer struct {
		Queues []Queue `json:"queues"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: "/queues"}, &answer)
	return answer.Queues, err
}

// SetQueueState pauses a queue or resumes it: "paused" or "running".
func (c *Client) SetQueueState(ctx context.Context, name, state string) error {
	return c.setState(ctx, "/queues/", name, state)
}

// Limit limits all workers together. A zero number is no limit.
type Limit struct {
	Scope          string  `json:"scope"`          // all, queue, transfer, handler or name
	Name           string  `json:"name,omitempty"` // of the queue, the handler or the limit, or the transfer's id
	InFlight       int     `json:"in_flight"`      // batches that run at once
	FilesPerSecond float64 `json:"files_per_second"`
	PerHost        int     `json:"per_host"`          // batches that run at once on one host
	Weight         int     `json:"weight"`            // of a queue; 0: that of the configuration of workers
	Trouble        string  `json:"trouble,omitempty"` // why it cannot be read; as little as possible runs then
	Note           string  `json:"note,omitempty"`    // why it may be a mistake: that it applies to nothing that is known
}

// Limits lists the limits.
func (c *Client) Limits(ctx context.Context) ([]Limit, error) {
	var answer struct {
		Limits []Limit `json:"limits"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: "/limits"}, &answer)
	return answer.Limits, err
}

// LimitBounds are the bounds of a limit to set, 0 for none. Those that are nil stay.
type LimitBounds struct {
	InFlight       *int
	FilesPerSecond *float64
	PerHost        *int
	Weight         *int // of a queue
}

// SetLimit changes a limit, and returns it.
func (c *Client) SetLimit(ctx context.Context, scope, name string, change LimitBounds) (l Limit, err error) {
	body := struct {
		Scope          string   `json:"scope"`
		Name           string   `json:"name,omitempty"`
		InFlight       *int     `json:"in_flight,omitempty"`
		FilesPerSecond *float64 `json:"files_per_second,omitempty"`
		PerHost        *int     `json:"per_host,omitempty"`
		Weight         *int     `json:"weight,omitempty"`
	}{scope, name, change.InFlight, change.FilesPerSecond, change.PerHost, change.Weight}
	err = c.call(ctx, request{method: http.MethodPut, path: "/limits", body: body}, &l)
	return l, err
}

// Recipes lists the names of the recipes that the server knows.
func (c *Client) Recipes(ctx context.Context) ([]string, error) {
	var answer struct {
		Recipes []string `json:"recipes"`
	}
	err := c.call(ctx, request{method: http.MethodGet, path: "/recipes"}, &answer)
	return answer.Recipes, err
}

// Recipe reads a recipe, as YAML.
func (c *Client) Recipe(ctx context.Context, name string) (yaml string, err error) {
	var text rawText
	err = c.call(ctx, request{method: http.MethodGet, path: "/recipes/" + url.PathEscape(name)}, &text)
	return string(text), err
}

// rawText takes an answer that is no JSON.
type rawText string

func (t *rawText) read(r io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err == nil && len(text) > maxText {
		err = errors.New("the answer is too long")
	}
	*t = rawText(text)
	return err
}

// maxText limits an answer that is no JSON, in bytes.
const maxText = 4 << 20
