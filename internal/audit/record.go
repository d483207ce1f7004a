package audit

import (
	"context"
	"log/slog"
)

// Log keeps entries.
type Log interface {
	AddAudit(ctx context.Context, e Entry) (line int64, err error)
	FinishAudit(ctx context.Context, line int64, result Status, target, detail string) error
}

// Record writes an entry before a change that a process makes by itself, and after it how it
// ended. The change returns its target, "" for that of the entry, and what else is to be said of
// it. Record does not make the change when the entry cannot be written, and returns the error
// of the change.
func Record(ctx context.Context, l Log, log *slog.Logger, e Entry, change func() (target, detail string, err error)) error {
	e.From, e.Result = Host(), Begun
	line, err := l.AddAudit(ctx, e)
	if err != nil {
		return err
	}
	target, detail, err := change()
	result := Done
	if err != nil {
		result, detail = Failed, err.Error()
	}
	if noted := l.FinishAudit(context.WithoutCancel(ctx), line, result, target, detail); noted != nil {
		log.WarnContext(ctx, "a line of the audit log lacks its result", "line", line, "error", noted)
	}
	return err
}
