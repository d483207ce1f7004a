package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Submission asks for a transfer.
type Submission struct {
	// Paths are absolute paths of files and folders that the server may read. Without any
	// the transfer is open: add files with AddFiles, then Seal it.
	Paths []string `json:"paths,omitempty"`

	Recipe   string   `json:"recipe,omitempty"` // its name; empty: default
	Name     string   `json:"name,omitempty"`   // for people
	Queue    string   `json:"queue,omitempty"`
	Weight   int      `json:"weight,omitempty"`
	Via      string   `json:"via,omitempty"` // auto, group or bulk
	Webhooks []string `json:"webhooks,omitempty"`

	NoReuse bool `json:"no_reuse,omitempty"` // run the handlers for every file, also where the recipe says reuse

	Include []string `json:"-"` // patterns of files and folders, as gitignore has them; none: all
	Exclude []string `json:"-"`

	// Key makes the same submission twice one transfer; empty: each makes its own, and none
	// is repeated after a broken connection.
	Key string `json:"-"`
}

// Counts are numbers of results by outcome.
type Counts struct {
	Succeeded int64 `json:"succeeded"`
	Warning   int64 `json:"warning"`
	Skipped   int64 `json:"skipped"`
	Failed    int64 `json:"failed"`
	Error     int64 `json:"error"`
	TimedOut  int64 `json:"timed_out"`
	Canceled  int64 `json:"canceled"`
}

// Failures is the number of results that are failures.
func (c Counts) Failures() int64 { return c.Failed + c.Error + c.TimedOut }

// Step is a step of a transfer with its counters.
type Step struct {
	Name     string `json:"step"`
	Selected int64  `json:"routed"` // files that its condition selected
	Done     int64  `json:"done"`
	Failed   int64  `json:"failed"`
	Results  Counts `json:"results"`
	Reused   int64  `json:"reused"` // results taken over from earlier transfers
}

// Transfer is a transfer with its counters.
type Transfer struct {
	ID             string  `json:"transfer"`
	State          string  `json:"state"` // open, running, finalizing, completed, interrupted or canceled
	Files          int64   `json:"files"`
	Bytes          int64   `json:"bytes"`
	Finished       int64   `json:"finished"`
	Results        Counts  `json:"results"` // of all steps together
	Steps          []Step  `json:"steps"`
	Seconds        float64 `json:"seconds"`
	FilesPerSecond float64 `json:"files_per_second"`
	WaitingFor     string  `json:"waiting_for"` // why nothing of it runs; empty when something does

	Finalizers []Finalizer `json:"finalizers"`
}

// Finalizer is a final step of a transfer.
type Finalizer struct {
	Name  string `json:"step"`
	State string `json:"state"`
	Error string `json:"error"`
}

// Ended reports whether nothing of the transfer runs any more.
func (t *Transfer) Ended() bool { return t.State == "completed" || t.State == "canceled" }

// Submit submits a transfer. With paths it returns before their files are registered.
func (c *Client) Submit(ctx context.Context, s Submission) (t Transfer, err error) {
	type selection struct {
		Include []string `json:"include,omitempty"`
		Exclude []string `json:"exclude,omitempty"`
	}
	body := struct {
		Submission

		Selection *selection `json:"selection,omitempty"`
	}{Submission: s}
	if len(s.Include)+len(s.Exclude) > 0 {
		body.Selection = &selection{s.Include, s.Exclude}
	}
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers", body: body, key: s.Key, once: s.Key == ""}, &t)
	return t, err
}

// Transfer reads a transfer.
func (c *Client) Transfer(ctx context.Context, id string) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodGet, path: "/transfers/" + url.PathEscape(id)}, &t)
	return t, err
}

// Cancel cancels a transfer, and returns it as it is then. One that has ended stays as it is.
func (c *Client) Cancel(ctx context.Context, id string) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodDelete, path: "/transfers/" + url.PathEscape(id)}, &t)
	return t, err
}

// Pause pauses a transfer: no more of its batches start.
func (c *Client) Pause(ctx context.Context, id string) (t Transfer, err error) {
	return c.post(ctx, id, "pause")
}

// Resume resumes a paused transfer.
func (c *Client) Resume(ctx context.Context, id string) (t Transfer, err error) {
	return c.post(ctx, id, "resume")
}

// Seal says that a transfer gets no more files. Sealing twice is fine.
func (c *Client) Seal(ctx context.Context, id string) (t Transfer, err error) {
	return c.post(ctx, id, "seal")
}

func (c *Client) post(ctx context.Context, id, verb string) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers/" + url.PathEscape(id) + "/" + verb}, &t)
	return t, err
}

// Filter selects results. The zero value selects all.
type Filter struct {
	Step     string   `json:"step,omitempty"`
	Outcomes []string `json:"outcome,omitempty"`
	File     int64    `json:"file,omitempty"`    // its number; 0: every file
	Code     string   `json:"code,omitempty"`    // empty: every code
	Message  string   `json:"message,omitempty"` // of failures: what list-failures returns; empty: every result
}

// Retry runs the files of the selected results again, and returns their number. Without
// outcomes it selects failures and canceled files.
func (c *Client) Retry(ctx context.Context, id string, f Filter) (files int64, err error) {
	var answer struct {
		Files int64 `json:"files"`
	}
	// Repeating it is harmless: files that run again have no result that it would select.
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers/" + url.PathEscape(id) + "/retry", body: f}, &answer)
	return answer.Files, err
}

// Result is the result of one file at one step.
type Result struct {
	File      int64           `json:"file"`
	Path      string          `json:"path"`
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
