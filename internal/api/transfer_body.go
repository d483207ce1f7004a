package api

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// transferBody is a transfer in an answer: its summary, and where it comes from.
type transferBody struct {
	tasks.Summary

	Number    int64           `json:"number" doc:"Short, and unique on this server."`
	Name      string          `json:"name"`
	Key       string          `json:"key,omitempty" doc:"Its Idempotency-Key."`
	Via       tasks.Via       `json:"via" enum:"group,bulk"`
	Queue     string          `json:"queue"`
	Handlers  []string        `json:"handlers" nullable:"false" doc:"Of each step."`
	Sources   []string        `json:"sources" nullable:"false" doc:"The submitted paths; none when its files were listed."`
	Selection tasks.Selection `json:"selection,omitzero" doc:"Which of the files below the paths belong to it; absent: all."`
	CreatedAt time.Time       `json:"created_at"`
	SealedAt  *time.Time      `json:"sealed_at,omitempty" doc:"Absent while files may still be added."`
	EndedAt   *time.Time      `json:"ended_at,omitempty" doc:"Absent until the transfer has ended."`
	PausedAt  *time.Time      `json:"paused_at,omitempty" doc:"Absent unless it is paused."`
	Trouble   string          `json:"trouble,omitempty" doc:"Why Baler has paused it: rows that make no sense."`

	ListPaths  int64  `json:"list_paths,omitempty" doc:"How many paths its list had, once it is sealed."`
	ListDigest string `json:"list_digest,omitempty" doc:"The digest of that list, as its client has told it."`

	SourceBytes [][]byte `json:"source_bytes,omitempty" doc:"All sources in base64; only when one is not valid UTF-8."`

	Changed bool `json:"changed,omitempty" doc:"Whether this request has made the transfer, or changed its state."`
}

func (a *api) body(t *tasks.Transfer) transferBody {
	b := transferBody{
		Summary: tasks.Summarize(t, a.Now()), Number: t.ID, Name: t.Name, Key: t.Key, Via: t.Via, Queue: t.Queue,
		Handlers: make([]string, len(t.Steps)), Sources: make([]string, len(t.Sources)), Selection: t.Selection,
		CreatedAt: t.CreatedAt, SealedAt: unlessZero(t.SealedAt), EndedAt: unlessZero(t.EndedAt), PausedAt: unlessZero(t.PausedAt),
		Trouble: t.Trouble, ListPaths: t.List.Paths, ListDigest: t.List.Hex(),
	}
	for i := range t.Steps {
		b.Handlers[i] = t.Steps[i].Handler
	}
	for i, s := range t.Sources {
		b.Sources[i] = strings.ToValidUTF8(s, "\uFFFD")
	}
	if slices.ContainsFunc(t.Sources, func(s string) bool { return !utf8.ValidString(s) }) {
		for _, s := range t.Sources {
			b.SourceBytes = append(b.SourceBytes, []byte(s))
		}
	}
	return b
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
