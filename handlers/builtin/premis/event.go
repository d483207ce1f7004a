package premis

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/xmlstream"
	"github.com/balerhq/baler/tasks"
)

// eventType is the usual type of the events of a handler's results, a term of the Library of
// Congress's vocabulary (https://id.loc.gov/vocabulary/preservation/eventType).
func eventType(handler string) string {
	switch handler {
	case "checksum":
		return "message digest calculation"
	case "identify", "extension":
		return "format identification"
	case "verify":
		return "fixity check"
	case "validate":
		return "validation"
	case "virus-scan":
		return "virus check"
	case "characterize":
		return "metadata extraction"
	case "extract":
		return "unpacking"
	case "thumbnail":
		return "creation"
	case "copy", "move":
		return "replication"
	case "sanitize-names":
		return "filename change"
	}
	return "execution"
}

// outcome is a result's outcome as archives name it.
func outcome(o tasks.Outcome) string {
	switch o {
	case tasks.OutcomeSucceeded:
		return "success"
	case tasks.OutcomeFailed:
		return "failure"
	case tasks.OutcomeTimedOut:
		return "timed out"
	case tasks.OutcomeWarning, tasks.OutcomeSkipped, tasks.OutcomeError, tasks.OutcomeCanceled:
	}
	return string(o)
}

// Events gives the types of a result's events: one, but two when identify has computed
// digests, too.
func (d *Document) Events(l *tasks.ResultLine) []string {
	handler := d.handlers[l.Step]
	types := []string{cmp.Or(d.options.Events[l.Step], eventType(handler))}
	if digests := eventType("checksum"); handler == "identify" && types[0] != digests && hasDigest(l.Facts) {
		types = append(types, digests)
	}
	return types
}

func hasDigest(facts json.RawMessage) bool {
	var some map[string]json.RawMessage
	if json.Unmarshal(facts, &some) != nil {
		return false // no facts, or none by name
	}
	return slices.ContainsFunc(tasks.DigestFacts(), func(name string) bool { return some[name] != nil })
}

// Event writes the event of a result that has one of the types of Events.
func (d *Document) Event(x *xmlstream.Writer, l *tasks.ResultLine, kind, namespace string) {
	handler := d.handlers[l.Step]
	id := fileID(l.Transfer, l.File) + "/" + l.Step
	if kind != d.Events(l)[0] {
		id += "/digests"
	}
	d.root(x, "event", "", namespace)
	identifier(x, "eventIdentifier", localID, id)
	x.Text("eventType", kind)
	at := l.EndedAt
	if l.ReusedFrom != "" { // the handler ran then, and not in this transfer
		at = l.RanAt
	}
	if at.IsZero() {
		at = d.now
	}
	x.Text("eventDateTime", at.UTC().Format(time.RFC3339Nano))
	x.Start("eventDetailInformation")
	x.Text("eventDetail", fmt.Sprintf("step %s, handler %s, attempt %d%s",
		l.Step, cmp.Or(handler, "of an earlier recipe"), l.Attempt, reused(l)))
	x.End()
	x.Start("eventOutcomeInformation")
	x.Text("eventOutcome", outcome(l.Outcome))
	if l.Code != "" || l.Error != "" {
		note(x, l.Code, l.Error)
	}
	if facts := string(l.Facts); facts != "" && facts != "{}" {
		note(x, "", facts)
	}
	x.End()
	for _, a := range d.agents {
		x.Start("linkingAgentIdentifier")
		x.Text("linkingAgentIdentifierType", a.idType)
		x.Text("linkingAgentIdentifierValue", a.id)
		x.Text("linkingAgentRole", a.role)
		x.End()
	}
	identifier(x, "linkingObjectIdentifier", localID, fileID(l.Transfer, l.File))
	x.End()
}

// reused says where a result comes from that was taken over.
func reused(l *tasks.ResultLine) string {
	if l.ReusedFrom == "" {
		return ""
	}
	return fmt.Sprintf("; taken over from file %d of transfer %s", l.ReusedFile, l.ReusedFrom)
}

func note(x *xmlstream.Writer, code, text string) {
	if code != "" && text != "" {
		code += ": "
	}
	x.Start("eventOutcomeDetail")
	x.Text("eventOutcomeDetailNote", code+text)
	x.End()
}
