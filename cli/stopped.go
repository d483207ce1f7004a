package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// stoppedByFailures reports a transfer that so many failures have stopped, and how a person
// goes on.
func (p *program) stoppedByFailures(ctx context.Context, b system, of *tasks.Transfer, quiet bool) error {
	t, err := b.Transfer(context.WithoutCancel(ctx), of.UUID)
	if err != nil {
		return err
	}
	switch {
	case p.json:
		if err := p.summarize(&t); err != nil {
			return err
		}
	case !quiet:
		var text bytes.Buffer // in JSON, notes are written by whole lines
		p.report(&text, &t, p.now())
		if err := p.reportFailures(ctx, &text, b, &t); err != nil {
			return err
		}
		if t.Stopped != "" { // the batches that ran may have been the last
			fmt.Fprintf(&text, "\n%s\n", howToGoOn(&t))
		}
		p.notef("%s", strings.TrimRight(text.String(), "\n"))
	}
	return codeError(exitFailures)
}

// howToGoOn says why failures have stopped a transfer, and what a person does about it.
func howToGoOn(t *tasks.Transfer) string {
	return fmt.Sprintf("It is stopped: %s.\nSee them with 'baler failures %[2]s'. Run these files again with 'baler retry %[2]s', "+
		"if the cause is mended,\n"+
		"and go on with 'baler resume %[2]s', or cancel it with 'baler cancel %[2]s'.", printable(t.Stopped), number(t))
}

// endedByDeadline says that the deadline of a transfer has canceled it, and how a person goes
// on; empty when it has not. then is what remains to be done after that, or empty.
func endedByDeadline(t *tasks.Transfer, then string) string {
	if !t.DeadlineExceeded || t.State != tasks.StateCanceled {
		return ""
	}
	left, flags := "its final steps", " --finalizers"
	if n := t.Files - t.Finished + t.Totals().Canceled; n > 0 {
		left, flags = fmt.Sprintf("%s of %s", count(n), files(t.Files)), ""
	}
	return fmt.Sprintf("Its deadline, %s, has canceled it before the end of %s.\n"+
		"Go on without a deadline with 'baler retry %s%s'%s.", local(t.DeadlineAt), left, number(t), flags, then)
}

// reportDeadline writes endedByDeadline as the end of a report.
func (p *program) reportDeadline(w io.Writer, t *tasks.Transfer, then string) {
	if text := endedByDeadline(t, then); text != "" {
		fmt.Fprintf(w, "\n%s\n", p.named(text))
	}
}
