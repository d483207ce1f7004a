package cli

import (
	"bytes"
	"context"
	"fmt"
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
