package tasks

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// CodeUnreadableRow is the code of a result whose row in the database is invalid. Lists of
// results have a line with it in the place of such a row.
const CodeUnreadableRow = "unreadable-row"

// ResultLine is a result in the output of the command line and the API: one JSON
// object per line. Its fields and their order are part of their contract.
type ResultLine struct {
	File        int64           `json:"file"`
	Path        string          `json:"path"`
	PathBytes   []byte          `json:"path_bytes,omitempty"`   // base64; only when the path is not valid UTF-8
	Parent      int64           `json:"parent,omitempty"`       // number of the file from which this one was emitted
	Member      string          `json:"member,omitempty"`       // name of this one within the parent
	MemberBytes []byte          `json:"member_bytes,omitempty"` // as path_bytes
	Step        string          `json:"step"`
	Outcome     Outcome         `json:"outcome"`
	ExitCode    int             `json:"exit_code"`
	Code        string          `json:"code"`
	Output      string          `json:"output"`
	Error       string          `json:"error"`
	Truncated   bool            `json:"truncated,omitempty"`
	Facts       json.RawMessage `json:"facts"`
	Attempt     int             `json:"attempt"`
	Worker      string          `json:"worker"`
	Transfer    string          `json:"-"` // ID of its transfer, in a finalizer; not in JSON
	StartedAt   time.Time       `json:"started_at"`
	EndedAt     time.Time       `json:"ended_at"`
	ReusedFrom  string          `json:"reused_from,omitempty"` // transfer in which the handler ran, when the result was taken over
	ReusedFile  int64           `json:"reused_file,omitempty"` // number of the file there
	RanAt       time.Time       `json:"ran_at,omitzero"`       // when the handler ended there
}

// NewResultLine makes the line of a result. A path that is not valid UTF-8 has
// replacement characters in Path, and its bytes in PathBytes.
func NewResultLine(r *Result, path, step string) ResultLine {
	l := ResultLine{
		File: r.File, Path: path, Step: step, Outcome: r.Outcome, ExitCode: r.ExitCode, Code: r.Code, Output: r.Output,
		Error: r.Error, Truncated: r.Truncated, Facts: r.Facts, Attempt: r.Attempt, Worker: r.Worker,
		StartedAt: r.StartedAt, EndedAt: r.EndedAt,
	}
	if r.Reused != nil {
		l.ReusedFrom, l.ReusedFile, l.RanAt = r.Reused.Transfer, r.Reused.File, r.Reused.RanAt
	}
	if !utf8.ValidString(path) {
		l.Path = strings.ToValidUTF8(path, "\uFFFD")
		l.PathBytes = []byte(path)
	}
	if len(l.Facts) == 0 {
		l.Facts = json.RawMessage("{}")
	}
	return l
}

// Line makes the line of a result that was read back.
func (l *ResultRow) Line(step string) ResultLine {
	line := NewResultLine(&l.Result, l.Path, step)
	line.Parent, line.Member = l.Parent, l.Name
	if !utf8.ValidString(l.Name) {
		line.Member = strings.ToValidUTF8(l.Name, "\uFFFD")
		line.MemberBytes = []byte(l.Name)
	}
	return line
}
