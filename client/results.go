package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Filter selects results. The zero value selects all.
type Filter struct {
	Step     string   `json:"step,omitempty"`
	Outcomes []string `json:"outcome,omitempty"`
	File     int64    `json:"file,omitempty"`    // its number; 0: every file
	Parent   int64    `json:"parent,omitempty"`  // only files that were extracted from this one; 0: every file
	Code     string   `json:"code,omitempty"`    // empty: every code
	Message  string   `json:"message,omitempty"` // of failures: what list-failures returns; empty: every result
	Exactly  bool     `json:"exactly,omitempty"` // only failures whose code and message are these, also when they are empty
}

// Retry runs the files of the selected results again, and returns their number. Without
// outcomes it selects failures and canceled files.
func (c *Client) Retry(ctx context.Context, id string, f Filter) (files int64, err error) {
	// Repeating it is harmless: files that run again have no result that it would select.
	return c.changeFiles(ctx, id, "/retry", f)
}

// CancelFiles cancels the selected files that have not ended, and returns how many were not
// canceled before. A file that runs ends its step first. The filter must select something;
// Client.Cancel cancels all files.
func (c *Client) CancelFiles(ctx context.Context, id string, f Filter) (files int64, err error) {
	// Repeating it is harmless: a file is canceled once.
	return c.changeFiles(ctx, id, "/files/cancel", f)
}

// changeFiles posts a filter to a path of a transfer, and returns how many files were changed.
func (c *Client) changeFiles(ctx context.Context, id, path string, f Filter) (files int64, err error) {
	var answer struct {
		Files int64 `json:"files"`
	}
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers/" + url.PathEscape(id) + path, body: f}, &answer)
	return answer.Files, err
}

// RetryFinalizers runs the failed final steps of a completed transfer again, and returns
// their number.
func (c *Client) RetryFinalizers(ctx context.Context, id string) (steps int64, err error) {
	var answer struct {
		Finalizers int64 `json:"finalizers"`
	}
	path := "/transfers/" + url.PathEscape(id) + "/finalizers/retry"
	err = c.call(ctx, request{method: http.MethodPost, path: path}, &answer)
	return answer.Finalizers, err
}

// Failures is a group of failures: results with the same step, outcome, code and message.
type Failures struct {
	Step      string    `json:"step"`
	Outcome   string    `json:"outcome"`
	Code      string    `json:"code"`
	Message   string    `json:"message"` // with … for what differs from file to file
	Files     int64     `json:"files"`
	File      int64     `json:"example_file"` // the first of them
	Path      string    `json:"example_path"`
	PathBytes []byte    `json:"example_path_bytes"` // only when the path is not valid UTF-8
	FirstAt   time.Time `json:"first_at"`
	LastAt    time.Time `json:"last_at"`
}

// LiveWork is what happens in a transfer just now.
type LiveWork struct {
	Running []struct {
		Worker  string `json:"worker"`
		Step    string `json:"step"`
		Batches int    `json:"batches"`
	} `json:"running"`
	Files []struct {
		Worker    string    `json:"worker"`
		Step      string    `json:"step"`
		File      int64     `json:"file"`
		Path      string    `json:"path"`
		PathBytes []byte    `json:"path_bytes"` // only when the path is not valid UTF-8
		StartedAt time.Time `json:"started_at"`
		Progress
	} `json:"files"` // on which workers work for some seconds or longer
	Failures []struct {
		File      int64     `json:"file"`
		Path      string    `json:"path"`
		PathBytes []byte    `json:"path_bytes"` // only when the path is not valid UTF-8
		Step      string    `json:"step"`
		Outcome   string    `json:"outcome"`
		Code      string    `json:"code"`
		Message   string    `json:"message"`
		EndedAt   time.Time `json:"ended_at"`
	} `json:"failures"` // the newest first
}

// LiveWork reads what happens in a transfer just now: batches that run, and the newest failures.
func (c *Client) LiveWork(ctx context.Context, id string) (a LiveWork, err error) {
	err = c.call(ctx, request{method: http.MethodGet, path: "/transfers/" + url.PathEscape(id) + "/live"}, &a)
	return a, err
}

// Failures counts the failures of a transfer by kind, the most frequent first, up to limit
// groups, which is at most 1000.
func (c *Client) Failures(ctx context.Context, id string, f Filter, limit int) ([]Failures, error) {
	query := f.query()
	query.Set("limit", strconv.Itoa(limit))
	var answer struct {
		Failures []Failures `json:"failures"`
	}
	path := "/transfers/" + url.PathEscape(id) + "/failures?" + query.Encode()
	err := c.call(ctx, request{method: http.MethodGet, path: path}, &answer)
	return answer.Failures, err
}

// Result is the result of one file at one step.
type Result struct {
	File      int64           `json:"file"`
	Path      string          `json:"path"`
	PathBytes []byte          `json:"path_bytes"` // only when the path is not valid UTF-8
	Parent    int64           `json:"parent"`     // the file from which this one was extracted; 0: none
	Member    string          `json:"member"`     // its name there
	RawMember []byte          `json:"member_bytes"`
	Step      string          `json:"step"`
	Outcome   string          `json:"outcome"`
	ExitCode  int             `json:"exit_code"`
	Code      string          `json:"code"`
	Output    string          `json:"output"`
	Error     string          `json:"error"`
	Truncated bool            `json:"truncated"`
	Facts     json.RawMessage `json:"facts"`
	Attempt   int             `json:"attempt"`
	Worker    string          `json:"worker"`
	StartedAt time.Time       `json:"started_at"`
	EndedAt   time.Time       `json:"ended_at"`

	ReusedFrom string    `json:"reused_from"` // the transfer in which the handler ran, when the result was taken over
	ReusedFile int64     `json:"reused_file"` // the number of the file there
	RanAt      time.Time `json:"ran_at"`      // when the handler ended there
}

// Results yields the results of a transfer by step and file, a page at a time in memory.
// It ends with the first error.
func (c *Client) Results(ctx context.Context, id string, f Filter) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		query := f.query()
		query.Set("limit", "1000")
		for {
			var page struct {
				Results []Result `json:"results"`
				Next    string   `json:"next"`
			}
			path := "/transfers/" + url.PathEscape(id) + "/results?" + query.Encode()
			if err := c.call(ctx, request{method: http.MethodGet, path: path}, &page); err != nil {
				yield(Result{}, err)
				return
			}
			for _, r := range page.Results {
				if !yield(r, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			query.Set("after", page.Next)
		}
	}
}
