package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// resumeArgs rejects arguments and flags that do not combine with --resume: the paths
// and options are stored with the transfer.
func resumeArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("--resume takes no paths: they are stored with the transfer")
	}
	for _, flag := range []string{"recipe", "via", "name", "key", "webhook", "queue", "weight", "null", "missing-ok",
		"files-from", "include", "exclude", "exclude-from", "ignore-case", "min-size", "max-size", "newer", "dry-run"} {
		if cmd.Flags().Changed(flag) {
			return usagef("--resume cannot be combined with --%s: it is stored with the transfer", flag)
		}
	}
	return nil
}

// submitResume resumes an interrupted submission.
func (p *program) submitResume(ctx context.Context, b *baler.Baler, f *submitFlags) error {
	t, err := direct{b}.FindTransfer(ctx, f.resume)
	if err != nil {
		return err
	}
	if err := p.checkQueue(ctx, b, t.Via == tasks.ViaGroup); err != nil {
		return err
	}
	if t, err = p.resumeSubmission(ctx, b, t); err != nil {
		return err
	}
	return p.submitted(ctx, direct{b}, &t, origin{resumed: true}, f)
}

// resumeSubmission registers the missing files of a transfer, and shows the progress.
func (p *program) resumeSubmission(ctx context.Context, b *baler.Baler, t tasks.Transfer) (tasks.Transfer, error) {
	notes := &skippedFiles{p: p}
	follower := p.follow(ctx, direct{b}, p.newDisplay(false, true))
	if !sealed(&t) {
		follower.begin(t)
	}
	now, err := b.ResumeSubmit(ctx, t, notes.see)
	if err == nil {
		follower.end(&now)
	} else {
		follower.end(nil)
	}
	notes.end()
	switch {
	case err == nil:
		p.notef("Resumed the interrupted submission of transfer %s; all its files are registered.", number(&now))
		return now, nil
	case errors.Is(err, baler.ErrAlreadySealed), errors.Is(err, baler.ErrProducerAlive), errors.Is(err, baler.ErrPathsFromList):
		return now, fmt.Errorf("transfer %s cannot be resumed: %w", number(&t), err)
	}
	return now, p.submitStopped(ctx, direct{b}, &now, err)
}

// adoptUnfinished resumes the transfer of a key when its submission was interrupted.
// For a sealed transfer it only prints a note.
func (p *program) adoptUnfinished(ctx context.Context, b *baler.Baler, t tasks.Transfer) (now tasks.Transfer, resumed bool, err error) {
	if !sealed(&t) {
		t, err = b.AwaitProducer(ctx, t, func(until time.Time) {
			p.notef("Another submission with this key began transfer %s and may still be registering files; waiting until %s.",
				number(&t), local(until))
		})
		if err == nil && !sealed(&t) {
			now, err = p.resumeSubmission(ctx, b, t)
			return now, err == nil, err
		}
		if errors.Is(err, baler.ErrProducerAlive) {
			return t, false, fmt.Errorf("another submission with this key began transfer %s: %w; submit again when it has ended", number(&t), err)
		}
		if err != nil {
			return t, false, p.submitStopped(ctx, direct{b}, &t, err)
		}
	}
	p.notef("Transfer %s was submitted with this key before; nothing was added.", number(&t))
	return t, false, nil
}

// sealed reports whether a transfer's number of files is final.
func sealed(t *tasks.Transfer) bool {
	return t.State != tasks.StateOpen && t.State != tasks.StateInterrupted
}
