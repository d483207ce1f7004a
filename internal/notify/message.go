package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Message is what a message says, for the templates of text.
type Message struct {
	Event    string         `json:"event"`
	Type     string         `json:"type"` // such as transfer.completed
	At       time.Time      `json:"at"`
	Name     string         `json:"name"` // of the transfer
	Transfer tasks.Summary  `json:"transfer"`
	Fixity   *ledger.Fixity `json:"fixity"` // all zero but in fixity.failed

	What string `json:"-"` // what has happened, in words
	Link string `json:"-"` // to the page of the transfer; empty when http.url is not set
}

// Failures is how many results are failures.
func (m *Message) Failures() int64 { return m.Transfer.Results.Failures() }

// readMessage reads the body of a delivery.
func readMessage(body, site string) (m Message, err error) {
	if err := json.Unmarshal([]byte(body), &m); err != nil {
		return m, fmt.Errorf("read the message: %w", err)
	}
	m.Name, m.What = oneLine(m.Name), m.what()
	if m.Fixity == nil {
		m.Fixity = new(ledger.Fixity) // a template that names its numbers holds for all messages
	}
	if site != "" {
		m.Link = strings.TrimSuffix(site, "/") + "/transfers/" + m.Transfer.Transfer
	}
	return m, nil
}

// what says what has happened.
func (m *Message) what() string {
	switch m.Type {
	case "transfer.completed":
		if m.Failures() > 0 {
			return "has completed with failures"
		}
		return "has completed"
	case "transfer.canceled":
		return "was canceled"
	case "transfer.failing":
		return "has its first failure"
	case "transfer.stopped":
		return "is stopped by failures"
	case "transfer.stalled":
		return "stands still"
	case tasks.EventApproval:
		return "waits for approval"
	case "fixity.failed":
		return "has found files that are damaged or missing"
	}
	return m.Type
}

// oneLine makes a line of text that others have written.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// The templates that apply when the settings have none.
const (
	DefaultSubject = `Baler: {{.Name}} {{.What}}`
	DefaultText    = `{{.Name}} {{.What}}.
{{with .Transfer.Stopped}}{{.}}.
{{end}}{{.Transfer.Finished}} of {{.Transfer.Files}} files are done; failures: {{.Failures}}.
Transfer {{.Transfer.Transfer}}, at {{.At.UTC.Format "2006-01-02 15:04:05"}} UTC
{{with .Link}}{{.}}
{{end}}`
)

// Templates make the text for people: mail, Slack and Teams.
type Templates struct{ subject, text *template.Template }

// maxText is how long a text may be, in bytes: Slack and Teams refuse much longer ones.
const maxText = 16 << 10

// NewTemplates parses the templates of the subject and the text, and tries them; empty: the
// default ones.
func NewTemplates(subject, text string) (t Templates, err error) {
	if subject == "" {
		subject = DefaultSubject
	}
	if text == "" {
		text = DefaultText
	}
	if t.subject, err = newTemplate("webhook.subject", subject); err != nil {
		return t, err
	}
	t.text, err = newTemplate("webhook.text", text)
	return t, err
}

func newTemplate(name, text string) (*template.Template, error) {
	t, err := template.New(name).Parse(text)
	if err != nil {
		return nil, err
	}
	sample := Sample(time.Time{})
	return t, t.Execute(io.Discard, &sample) // the error names the template and the place
}

// Sample is a message about no transfer, to try an address.
func Sample(now time.Time) Message {
	return Message{
		Event: "test", Type: "test", At: now, Name: "A test", What: "arrives",
		Transfer: tasks.Summary{Type: "summary", Steps: []tasks.StepSummary{}},
		Fixity:   new(ledger.Fixity), Link: "https://example.org",
	}
}

var errLongText = errors.New("the templates of the message make too long a text")

func render(t *template.Template, m *Message) (string, error) {
	var text strings.Builder
	if err := t.Execute(&text, m); err != nil {
		return "", err
	}
	if text.Len() > maxText {
		return "", errLongText
	}
	return text.String(), nil
}
