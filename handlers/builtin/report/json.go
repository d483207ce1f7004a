package report

import (
	"context"
	"encoding/json"
	"io"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// failure is a file that ended badly, as a report lists it.
type failure struct {
	File      int64         `json:"file"`
	Path      string        `json:"path"`
	PathBytes []byte        `json:"path_bytes,omitempty"` // base64; only when the path is not valid UTF-8
	Step      string        `json:"step"`
	Outcome   tasks.Outcome `json:"outcome"`
	Code      string        `json:"code"`
	Error     string        `json:"error"`
	Attempt   int           `json:"attempt"`
	Transfer  string        `json:"transfer,omitempty"` // ID; only when it is not the transfer of the summary
}

// collection is what the files of all runs of the same sources add up to.
type collection struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// writeJSON writes one JSON object: the transfer's summary as it stands, the totals of
// all runs of the same sources, and every file of them that failed, with the reason,
// one a line.
func writeJSON(ctx context.Context, c *handlers.TransferJob, to string) error {
	t := c.Transfer()
	summary := tasks.Summarize(&t, c.Now())
	summary.Finalizers = nil // they are still under way, this one among them
	head, err := json.Marshal(summary)
	if err != nil {
		return err
	}
	var all collection
	if all.Files, all.Bytes, err = c.Totals(ctx); err != nil {
		return err
	}
	totals, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return c.Create(to, func(w io.Writer) error {
		out := reporting{w: w}
		out.write(`{"summary":`, string(head), `,"collection":`, string(totals), `,"failures":[`)
		separator := "\n"
		for l, err := range c.Results(ctx, tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut) {
			if err != nil {
				return err
			}
			f := failure{l.File, l.Path, l.PathBytes, l.Step, l.Outcome, l.Code, l.Error, l.Attempt, l.Transfer}
			if f.Transfer == t.UUID {
				f.Transfer = ""
			}
			line, err := json.Marshal(f)
			if err != nil {
				return err
			}
			out.write(separator, string(line))
			separator = ",\n"
		}
		out.write("\n]}\n")
		return out.err
	})
}

// reporting keeps the first error.
type reporting struct {
	w   io.Writer
	err error
}

func (r *reporting) write(parts ...string) {
	for _, part := range parts {
		if r.err != nil {
			return
		}
		if _, err := io.WriteString(r.w, part); err != nil {
			r.err = handlers.RetryLater(handlers.CodeIO, err)
		}
	}
}
