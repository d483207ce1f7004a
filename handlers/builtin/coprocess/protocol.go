package coprocess

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// protocolVersion is the version of docs/coprocess.md.
const protocolVersion = 1

// maxLine is how long a message of a child may be.
const maxLine = 16 << 20

// message is what a child may say. Members of later versions are left out.
type message struct {
	Type     string          `json:"type"`
	Protocol int             `json:"protocol"`
	Ping     int64           `json:"ping"`
	Batch    int64           `json:"batch"`
	Job      *int            `json:"job"`
	ExitCode int             `json:"exit_code"`
	Outcome  string          `json:"outcome"`
	Code     string          `json:"code"`
	Output   string          `json:"output"`
	Error    string          `json:"error"`
	Facts    json.RawMessage `json:"facts"`

	tasks.Progress // of a message of type progress

	// Of a message of type emit. The second of each pair is for what is not UTF-8.
	Path      string `json:"path"`
	PathBytes []byte `json:"path_base64"`
	Name      string `json:"name"`
	NameBytes []byte `json:"name_base64"`
}

// The types of messages.
const (
	typeBatch    = "batch"
	typePing     = "ping"
	typeReady    = "ready"
	typePong     = "pong"
	typeStarted  = "started"
	typeProgress = "progress"
	typeEmit     = "emit"
	typeResult   = "result"
	typeDone     = "done"
)

// batchMessage asks a child to process jobs. They are numbered from 1.
func batchMessage(number int64, jobs []*handlers.Job, specs []*spec, folders emissions) []byte {
	list := make([]any, len(jobs))
	for i, job := range jobs {
		f := job.File()
		path := job.LocalPath()
		m := map[string]any{"id": i + 1, "path": path, "size": f.Size, "attempt": job.Attempt()}
		if !utf8.ValidString(path) {
			m["path_base64"] = base64.StdEncoding.EncodeToString([]byte(path))
		}
		if folder := folders.of(job); folder != "" {
			m["folder"] = folder
		}
		if f.Part > 0 {
			m["part"], m["offset"], m["line"] = f.Part, f.Offset, f.Line
		}
		if raw, ok := job.Args().(map[string]any); ok { // as it is: decoding would change what is not UTF-8
			m["args"] = raw["args"]
		}
		if specs[i].Facts != nil {
			m["facts"] = specs[i].Facts
		}
		list[i] = m
	}
	return append(appendJSON(nil, map[string]any{"type": typeBatch, "batch": number, "jobs": list}), '\n')
}

// appendJSON writes a JSON value. A byte of a string that is not UTF-8 becomes a lone
// surrogate from DC80 to DCFF, as with Python's surrogateescape.
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendString(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, item)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, key), ':')
			b = appendJSON(b, v[key])
		}
		return append(b, '}')
	}
	text, err := json.Marshal(v)
	if err != nil {
		return append(b, "null"...) // arguments are JSON values, all of which can be written
	}
	return append(b, text...)
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		r, width := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && width == 1:
			b = fmt.Appendf(b, `\udc%02x`, s[0])
		case r < ' ' || r == '"' || r == '\\':
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = append(b, s[:width]...)
		}
		s = s[width:]
	}
	return append(b, '"')
}
