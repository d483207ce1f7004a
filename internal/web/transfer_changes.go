package web

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/tasks"
)

// shownChanges is how many changes the page of a transfer shows; the newest.
const shownChanges = 50

// Actions as the table of rights names them.
const (
	submitAction = "submit a transfer"
	pauseAction  = "pause a transfer"
)

// changeWords says what somebody did to a transfer, by the action in the audit log.
func changeWords() map[string]string {
	return map[string]string{
		submitAction: "submitted", pauseAction: "paused", "resume a transfer": "resumed", "cancel a transfer": "canceling asked for",
		audit.StopTransfer: "stopped", audit.DeadlineTransfer: "canceled", "change a transfer": "changed",
		audit.ApproveStep: "approved", audit.RejectStep: "rejected",
		"retry files of a transfer": "files retried", "retry final steps of a transfer": "final steps retried",
	}
}

// change is what somebody did to a transfer.
type change struct {
	at     time.Time
	action string
	by     string // "by ada", and why when Baler did it
}

// changes reads who did what to a transfer. From where is only for those who may read the
// audit log.
func (p *transferPage) changes(ctx context.Context, t *tasks.Transfer, whole bool) ([]change, error) {
	if p.opts.Audit == nil {
		return nil, nil
	}
	actions := slices.Sorted(maps.Keys(changeWords()))
	lines, err := p.opts.Audit.AuditOf(ctx, t.UUID, audit.Done, actions, shownChanges)
	if err != nil {
		return nil, err
	}
	all := make([]change, 0, len(lines))
	for i := range lines {
		by := "by " + doerOf(&lines[i], whole)
		if lines[i].Detail != "" { // a reason, or a comment
			by += ": " + lines[i].Detail
		}
		all = append(all, change{at: lines[i].At, action: lines[i].Action, by: by})
	}
	slices.Reverse(all)
	return all, nil
}

func doerOf(e *audit.Entry, whole bool) string {
	switch {
	case e.Who == localName:
		return "a person"
	case whole && e.From != "":
		return e.Who + ", from " + strings.Replace(e.From, audit.CommandLine, "the "+audit.CommandLine, 1)
	case e.From == audit.CommandLine:
		if at := strings.LastIndexByte(e.Who, '@'); at > 0 {
			return e.Who[:at] // without the host
		}
	}
	return e.Who
}

// lately returns the last of the changes that has an action and came up to a minute before
// a time: the line is written just before the change. nil: there is none.
func lately(all []change, action string, at time.Time) *change {
	for i := len(all) - 1; i >= 0; i-- {
		if c := &all[i]; c.action == action && !c.at.After(at) && at.Sub(c.at) < time.Minute {
			return c
		}
	}
	return nil
}
