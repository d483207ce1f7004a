package cli

import (
	"fmt"
	"time"

	"github.com/balerhq/baler/tasks"
)

// With --json, standard error is JSON too, one object per line: notes, errors and
// progress.

// messageObject is a note or an error.
type messageObject struct {
	Type    string `json:"type"` // "note" or "error"
	Message string `json:"message"`
	Usage   string `json:"usage,omitempty"` // for an error in the command line
}

// progressObject is a report of progress.
type progressObject struct {
	Type           string  `json:"type"` // always "progress"
	Transfer       string  `json:"transfer"`
	Files          int64   `json:"files"` // registered so far
	Bytes          int64   `json:"bytes"`
	Finished       int64   `json:"finished"` // files
	Failed         int64   `json:"failed"`
	Done           int64   `json:"done"` // steps of files
	Of             int64   `json:"of"`
	Sealed         bool    `json:"sealed"` // no more files will be found
	FilesPerSecond float64 `json:"files_per_second"`
	BytesPerSecond float64 `json:"bytes_per_second"`
	Finalizing     string  `json:"finalizing,omitempty"`
	WaitingFor     string  `json:"waiting_for,omitempty"` // why nothing of it runs
}

// loadProgressObject is a report of the progress of a load.
type loadProgressObject struct {
	Type     string `json:"type"` // always "progress"
	Transfer string `json:"transfer"`
	Files    int64  `json:"files"`
	tasks.LoadCounts
}

// message writes an object to standard error. It ignores errors of writing: there is no
// other output for them.
func (p *program) message(v any) {
	if text, err := jsonText(v); err == nil {
		fmt.Fprintln(p.stderr, text)
	}
}

// objectsEvery is how often progress is reported in JSON.
const objectsEvery = time.Second

// objectProgress reports progress in JSON at intervals, and always the last one.
type objectProgress struct {
	p      *program
	pace   progressRate
	said   reading
	latest reading
}

func (o *objectProgress) show(r reading) {
	o.pace.see(r)
	o.latest = r
	if o.said.at.IsZero() || r.at.Sub(o.said.at) >= objectsEvery {
		o.say()
	}
}

func (o *objectProgress) say() {
	r := o.latest
	o.said = r
	files, bytes, _ := o.pace.rates()
	o.p.message(progressObject{
		"progress", r.transfer, r.files, r.bytes, r.finished, r.failed, r.done, r.files * r.steps, r.sealed,
		files, bytes, r.finalizing, r.waitingFor,
	})
}

func (o *objectProgress) end() {
	last := o.latest
	last.at = o.said.at
	if last != o.said {
		o.say()
	}
}
