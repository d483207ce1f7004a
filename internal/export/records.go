package export

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// Version is the version of the JSON lines. Readers refuse others.
const Version = 1

// The types of lines.
const (
	typeTransfer = "transfer"
	typeFile     = "file"
	typeResult   = "result"
	typeEnd      = "end"
)

// transferLine says what a transfer is.
type transferLine struct {
	Type       string          `json:"type"`
	Version    int             `json:"version"`
	Transfer   string          `json:"transfer"`
	Name       string          `json:"name"`
	State      tasks.State     `json:"state"`
	Via        tasks.Via       `json:"via"`
	Queue      string          `json:"queue"`
	Weight     int             `json:"weight"`
	NoReuse    bool            `json:"no_reuse,omitempty"`
	Files      int64           `json:"files"`
	Bytes      int64           `json:"bytes"`
	Finished   int64           `json:"finished"`
	Dispatched int64           `json:"dispatched"`
	Emitted    int64           `json:"emitted,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	SealedAt   time.Time       `json:"sealed_at,omitzero"`
	EndedAt    time.Time       `json:"ended_at,omitzero"`
	ClockShift int64           `json:"clock_shift_us,omitempty"`
	Sources    [][]byte        `json:"sources_bytes"` // paths may be no UTF-8
	Selection  tasks.Selection `json:"selection,omitzero"`
	Recipe     string          `json:"recipe"`
	Steps      []stepLine      `json:"steps"`
	Finalizers []finalizeLine  `json:"finalizers,omitempty"`
}

// stepLine is one step of a transfer, with its counters.
type stepLine struct {
	Number    int    `json:"number"`
	Step      string `json:"step"`
	Handler   string `json:"handler"`
	Selected  int64  `json:"selected"`
	Succeeded int64  `json:"succeeded"`
	Warning   int64  `json:"warning"`
	Skipped   int64  `json:"skipped"`
	Failed    int64  `json:"failed"`
	Error     int64  `json:"error"`
	TimedOut  int64  `json:"timed_out"`
	Canceled  int64  `json:"canceled"`
	Reused    int64  `json:"reused,omitempty"`
}

// finalizeLine is one final step of a transfer.
type finalizeLine struct {
	Number   int                 `json:"number"`
	Step     string              `json:"step"`
	Handler  string              `json:"handler"`
	State    tasks.FinalizeState `json:"state"`
	Attempts int                 `json:"attempts"`
	Error    string              `json:"error"`
}

func newTransferLine(t *tasks.Transfer) transferLine {
	l := transferLine{
		Type: typeTransfer, Version: Version, Transfer: t.UUID, Name: t.Name, State: t.State, Via: t.Via, Queue: t.Queue, Weight: t.Weight,
		NoReuse: t.NoReuse, Files: t.Files, Bytes: t.Bytes, Finished: t.Finished, Dispatched: t.Cursor, Emitted: t.Emitted,
		CreatedAt: t.CreatedAt.UTC(), SealedAt: t.SealedAt, EndedAt: t.EndedAt, ClockShift: t.ClockShift.Microseconds(),
		Sources: make([][]byte, len(t.Sources)), Selection: t.Selection, Recipe: t.Recipe,
	}
	for i, s := range t.Sources {
		l.Sources[i] = []byte(s)
	}
	for i := range t.Steps {
		s := &t.Steps[i]
		l.Steps = append(l.Steps, stepLine{
			s.Number, s.Name, s.Handler, s.Selected, s.Succeeded, s.Warning, s.Skipped, s.Failed, s.Error, s.TimedOut, s.Canceled, s.Reused,
		})
	}
	for _, f := range t.Finalizers {
		l.Finalizers = append(l.Finalizers, finalizeLine{f.Number, f.Name, f.Handler, f.State, f.Attempts, f.Error})
	}
	return l
}

func (l *transferLine) transfer() tasks.Transfer {
	t := tasks.Transfer{
		UUID: l.Transfer, Name: l.Name, State: l.State, Via: l.Via, Queue: l.Queue, Weight: l.Weight, NoReuse: l.NoReuse,
		Files: l.Files, Bytes: l.Bytes, Finished: l.Finished, Cursor: l.Dispatched, Emitted: l.Emitted,
		CreatedAt: l.CreatedAt, SealedAt: l.SealedAt, EndedAt: l.EndedAt, ClockShift: time.Duration(l.ClockShift) * time.Microsecond,
		Selection: l.Selection, Recipe: l.Recipe,
	}
	for _, s := range l.Sources {
		t.Sources = append(t.Sources, string(s))
	}
	for i := range l.Steps {
		s := &l.Steps[i]
		t.Steps = append(t.Steps, tasks.StepProgress{Number: s.Number, Name: s.Step, Handler: s.Handler, Selected: s.Selected,
			Counts: tasks.Counts{
				Succeeded: s.Succeeded, Warning: s.Warning, Skipped: s.Skipped, Failed: s.Failed, Error: s.Error, TimedOut: s.TimedOut,
				Canceled: s.Canceled,
			}, Reused: s.Reused})
	}
	for _, f := range l.Finalizers {
		t.Finalizers = append(t.Finalizers, tasks.FinalizeStep{
			Number: f.Number, Name: f.Step, Handler: f.Handler, State: f.State, Attempts: f.Attempts, Error: f.Error,
		})
	}
	return t
}

// fileLine is one file of a transfer.
type fileLine struct {
	Type      string    `json:"type"`
	File      int64     `json:"file"`
	Path      string    `json:"path"`
	PathBytes []byte    `json:"path_bytes,omitempty"` // only when the path is not valid UTF-8
	Size      int64     `json:"size"`
	MTime     time.Time `json:"mtime,omitzero"`
	Version   string    `json:"version,omitempty"`
	Part      int64     `json:"part,omitempty"`
	Offset    int64     `json:"offset,omitempty"`
	Line      int64     `json:"line,omitempty"`
	ScanError string    `json:"scan_error,omitempty"`

	Parent      int64  `json:"parent,omitempty"` // these only of a file that a handler has emitted
	Top         int64  `json:"top,omitempty"`
	Depth       int    `json:"depth,omitempty"`
	Step        int    `json:"step,omitempty"`
	Member      string `json:"member,omitempty"`
	MemberBytes []byte `json:"member_bytes,omitempty"`
	BaseLength  int    `json:"base_length,omitempty"` // of the path, in bytes
}

func newFileLine(f *tasks.File) fileLine {
	l := fileLine{
		Type: typeFile, File: f.No, Size: f.Size, MTime: f.MTime, Version: f.Version, Part: f.Part, Offset: f.Offset, Line: f.Line,
		ScanError: f.ScanError,
	}
	l.Path, l.PathBytes = textAndBytes(f.Path)
	if e := f.Emitted; e != nil {
		l.Parent, l.Top, l.Depth, l.Step, l.BaseLength = e.Parent, e.Top, e.Depth, e.Step, len(e.Base)
		l.Member, l.MemberBytes = textAndBytes(e.Name)
	}
	return l
}

func (l *fileLine) file() tasks.File {
	f := tasks.File{
		No: l.File, Path: bytesOr(l.PathBytes, l.Path), Size: l.Size, MTime: l.MTime, Version: l.Version, Part: l.Part, Offset: l.Offset,
		Line: l.Line, ScanError: l.ScanError,
	}
	if l.Parent > 0 {
		f.Emitted = &tasks.Emission{
			Parent: l.Parent, Top: l.Top, Depth: l.Depth, Step: l.Step, Name: bytesOr(l.MemberBytes, l.Member),
			Base: f.Path[:min(max(l.BaseLength, 0), len(f.Path))],
		}
	}
	return f
}

// textAndBytes is a text, and its bytes when it is not valid UTF-8.
func textAndBytes(s string) (string, []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return strings.ToValidUTF8(s, "\uFFFD"), []byte(s)
}

func bytesOr(b []byte, text string) string {
	if b != nil {
		return string(b)
	}
	return text
}

// resultLine is one result: what `baler results --json` prints, and its transfer.
type resultLine struct {
	Type     string `json:"type"`
	Transfer string `json:"transfer"`
	tasks.ResultLine
}

// endLine ends a transfer.
type endLine struct {
	Type       string      `json:"type"`
	Transfer   string      `json:"transfer"`
	Files      int64       `json:"files"`
	Results    int64       `json:"results"`
	State      tasks.State `json:"state"`
	ExportedAt time.Time   `json:"exported_at"`
	Digest     string      `json:"digest"` // SHA-256 of the lines before, with their ends
}

// Canonical writes facts in one way, because databases do not keep them as they were: MySQL
// sorts names and writes 1e2 as 100.0.
func Canonical(facts json.RawMessage) (json.RawMessage, error) {
	if string(facts) == "{}" {
		return facts, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(facts)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return encode(plainNumbers(value))
}

// plainNumbers writes numbers that are not integers as encoding/json does.
func plainNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			v[name] = plainNumbers(v[name])
		}
	case []any:
		for i := range v {
			v[i] = plainNumbers(v[i])
		}
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(string(v), ".eE") {
			return f
		}
	}
	return value
}
