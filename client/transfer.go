package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Submission asks for a transfer.
type Submission struct {
	// Paths are absolute paths of files and folders that the server may read. Without any
	// the transfer is open: add files with AddFiles, then Seal it.
	Paths []string `json:"paths,omitempty"`

	Recipe   string   `json:"recipe,omitempty"` // its name, or lines of YAML; empty: default
	Name     string   `json:"name,omitempty"`   // for people
	Queue    string   `json:"queue,omitempty"`
	Weight   int      `json:"weight,omitempty"`
	Via      string   `json:"via,omitempty"` // auto, group or bulk
	Webhooks []string `json:"webhooks,omitempty"`

	// StopAfter says how many failures stop it: a share such as 5%, a number such as 100, or
	// none; empty: what the recipe says.
	StopAfter string `json:"stop_after,omitempty"`

	// Deadline says when it is canceled if it has not ended: a time from now such as 6h, a time
	// of RFC 3339, or none; empty: what the recipe says.
	Deadline string `json:"deadline,omitempty"`

	MissingOK bool `json:"missing_ok,omitempty"` // paths that do not exist get failed results
	NoReuse   bool `json:"no_reuse,omitempty"`   // run the handlers for every file, also where the recipe says reuse

	Selection `json:"selection,omitzero"` // which of the files below the paths belong to it

	// Key makes the same submission twice one transfer; empty: each makes its own, and none
	// is repeated after a broken connection.
	Key string `json:"-"`
}

// Selection says which files below the paths belong to a transfer. The zero value selects
// all of them.
type Selection struct {
	Include []string `json:"include,omitempty"` // patterns of files and folders, as gitignore has them; none: all
	Exclude []string `json:"exclude,omitempty"`

	IgnoreCase bool      `json:"ignore_case,omitempty"` // in patterns
	MinSize    int64     `json:"min_size,omitempty"`    // in bytes
	MaxSize    int64     `json:"max_size,omitempty"`    // in bytes; 0: no limit
	NewerThan  time.Time `json:"newer_than,omitzero"`   // modified after it
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

// StepSummary is a step of a transfer with its counters.
type StepSummary struct {
	Name     string `json:"step"`
	Selected int64  `json:"routed"` // files that its condition selected
	Done     int64  `json:"done"`
	Failed   int64  `json:"failed"`
	Results  Counts `json:"results"`
	Reused   int64  `json:"reused"`   // results taken over from earlier transfers
	Approval string `json:"approval"` // waiting, approved or rejected; empty when the step asks nobody
}

// TimeSpent says where the wall time of a transfer went. Its parts add up to Seconds.
type TimeSpent struct {
	Seconds        float64     `json:"seconds"`
	Workers        int         `json:"workers"`          // that have run batches of it
	Slots          int         `json:"slots"`            // of all of them together
	HandlersAtOnce float64     `json:"handlers_at_once"` // on average over the whole time
	Parts          []TimeShare `json:"parts"`
	Steps          []StepTime  `json:"steps"`
}

// StepTime is a step's part of a TimeSpent.
type StepTime struct {
	Step  string      `json:"step"`
	Parts []TimeShare `json:"parts"`
}

// TimeShare is a part of a time, such as handler or queue.
type TimeShare struct {
	Part    string  `json:"part"`
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"` // of the whole wall time, from 0 to 1
}

// Transfer is a transfer with its counters.
type Transfer struct {
	ID             string        `json:"transfer"`
	State          string        `json:"state"` // open, running, finalizing, completed, interrupted or canceled
	Files          int64         `json:"files"`
	Bytes          int64         `json:"bytes"`
	Finished       int64         `json:"finished"`
	Results        Counts        `json:"results"` // of all steps together
	Steps          []StepSummary `json:"steps"`
	Seconds        float64       `json:"seconds"`
	FilesPerSecond float64       `json:"files_per_second"`
	WaitingFor     string        `json:"waiting_for"` // why nothing of it runs; empty when something does
	WallTime       *TimeSpent    `json:"wall_time"`   // where its time went; nil in lists, and when it is not known

	Finalizers []FinalizeStep `json:"finalizers"`

	Number      int64     `json:"number"` // short, and unique on its server
	Name        string    `json:"name"`
	Key         string    `json:"key"` // of its submission
	Via         string    `json:"via"` // group or bulk
	Queue       string    `json:"queue"`
	Weight      int       `json:"weight"`   // its share of the workers; 0: 1
	Emitted     int64     `json:"emitted"`  // files that steps have made of others
	Handlers    []string  `json:"handlers"` // of each step
	Sources     []string  `json:"sources"`  // the submitted paths; none when its files were listed
	Selection   Selection `json:"selection"`
	CreatedAt   time.Time `json:"created_at"`
	SealedAt    time.Time `json:"sealed_at"`    // zero while files may still be added
	EndedAt     time.Time `json:"ended_at"`     // zero until it has ended
	PausedAt    time.Time `json:"paused_at"`    // zero unless it is paused
	Trouble     string    `json:"trouble"`      // why Baler has paused it
	StopAfter   string    `json:"stop_after"`   // how many failures stop it; empty: none do
	Stopped     string    `json:"stopped"`      // why so many failures have paused it
	DeadlineAt  time.Time `json:"deadline_at"`  // when it is canceled if it has not ended; zero: never
	ListPaths   int64     `json:"list_paths"`   // how many paths its list had; 0 when no list is known
	ListDigest  string    `json:"list_digest"`  // see SealList
	SourceBytes [][]byte  `json:"source_bytes"` // all sources, when one is not valid UTF-8

	DeadlineExceeded bool `json:"deadline_exceeded"` // its deadline has canceled it

	// Changed says of the answers of Submit, Cancel, Pause and Resume whether the request has
	// made the transfer, or changed its state. When the first answer was lost, it is false.
	Changed bool `json:"changed"`
}

// FinalizeStep is a final step of a transfer.
type FinalizeStep struct {
	Name     string `json:"step"`
	State    string `json:"state"` // waiting, running, done, failed or canceled
	Attempts int    `json:"attempts"`
	Error    string `json:"error"`

	Progress *Progress `json:"progress"` // while it runs, as far as it is known
}

// Progress is how far the work on a file, or of a final step, is.
type Progress struct {
	Items   int64  `json:"items"`
	OfItems int64  `json:"of_items"` // 0: not known
	Unit    string `json:"unit"`     // what the items are, such as members
	Bytes   int64  `json:"bytes"`
	OfBytes int64  `json:"of_bytes"` // 0: not known
}

// Ended reports whether nothing of the transfer runs any more.
func (t *Transfer) Ended() bool { return t.State == "completed" || t.State == "canceled" }

// Submit submits a transfer. With paths it returns before their files are registered.
func (c *Client) Submit(ctx context.Context, s Submission) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers", body: s, key: s.Key, once: s.Key == ""}, &t)
	return t, err
}

// Transfer reads a transfer.
func (c *Client) Transfer(ctx context.Context, id string) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodGet, path: "/transfers/" + url.PathEscape(id)}, &t)
	return t, err
}

// Find finds a transfer by its number, its id or the beginning of it, its name, or "latest".
// The error is an *Error with status 404 when none fits, 409 when several do, and 410 when
// it was deleted.
func (c *Client) Find(ctx context.Context, ref string) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodGet, path: "/transfers/find?" + url.Values{"ref": {ref}}.Encode()}, &t)
	return t, err
}

// Transfers lists up to limit transfers, newest first.
func (c *Client) Transfers(ctx context.Context, limit int) (all []Transfer, err error) {
	query := url.Values{}
	for {
		query.Set("limit", strconv.Itoa(min(limit-len(all), transferPage)))
		var page struct {
			Transfers []Transfer `json:"transfers"`
			Next      string     `json:"next"`
		}
		if err := c.call(ctx, request{method: http.MethodGet, path: "/transfers?" + query.Encode()}, &page); err != nil {
			return all, err
		}
		all = append(all, page.Transfers...)
		if page.Next == "" || len(all) >= limit {
			return all, nil
		}
		query.Set("before", page.Next)
	}
}

// transferPage is how many transfers the server lists at most.
const transferPage = 500

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

// Change is what Update changes of a transfer. What is 0 or "" stays.
type Change struct {
	Weight    int    `json:"weight,omitempty"`
	StopAfter string `json:"stop_after,omitempty"` // see Submission
	Deadline  string `json:"deadline,omitempty"`   // see Submission; "none" removes it
}

// Update changes a transfer that has not ended.
func (c *Client) Update(ctx context.Context, id string, change Change) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodPatch, path: "/transfers/" + url.PathEscape(id), body: change}, &t)
	return t, err
}

// Approve lets the files of a step run that waits for a person. step "" is the first that
// waits. The error is an *Error with status 409 when none does.
func (c *Client) Approve(ctx context.Context, id, step, comment string) (t Transfer, err error) {
	return c.decide(ctx, id, "approve", step, comment)
}

// Reject cancels a transfer of which a step waits for a person.
func (c *Client) Reject(ctx context.Context, id, step, comment string) (t Transfer, err error) {
	return c.decide(ctx, id, "reject", step, comment)
}

func (c *Client) decide(ctx context.Context, id, verb, step, comment string) (t Transfer, err error) {
	body := struct {
		Step    string `json:"step,omitempty"`
		Comment string `json:"comment,omitempty"`
	}{step, comment}
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers/" + url.PathEscape(id) + "/" + verb, body: body, once: true}, &t)
	return t, err
}

// Seal says that a transfer gets no more files. Sealing twice is fine.
func (c *Client) Seal(ctx context.Context, id string) (t Transfer, err error) {
	return c.post(ctx, id, "seal")
}

// SealList is Seal for files that came from a list of so many paths. A later submission with
// the same key finds the number and the digest, a SHA-256 in hexadecimal digits, in
// Transfer, and can compare its own list.
func (c *Client) SealList(ctx context.Context, id string, paths int64, digest string) (t Transfer, err error) {
	list := url.Values{"list_paths": {strconv.FormatInt(paths, 10)}, "list_digest": {digest}}
	return c.post(ctx, id, "seal?"+list.Encode())
}

func (c *Client) post(ctx context.Context, id, verb string) (t Transfer, err error) {
	err = c.call(ctx, request{method: http.MethodPost, path: "/transfers/" + url.PathEscape(id) + "/" + verb}, &t)
	return t, err
}
