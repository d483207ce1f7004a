package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// resumeArgs rejects arguments and flags that do not combine with --resume: the paths
// and options are stored with the transfer.
func resumeArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 && !slices.Equal(args, []string{"-"}) {
		return usagef("--resume takes no paths: they are stored with the transfer; only a list is given again, as -, or with --files-from")
	}
	fromFile := cmd.Flags().Changed("files-from")
	switch {
	case len(args) > 0 && fromFile:
		return usagef("give --files-from or -, not both")
	case len(args) == 0 && !fromFile && cmd.Flags().Changed("null"):
		return usagef("--null needs a list: submit --resume ID - --null, or with --files-from")
	}
	for _, flag := range []string{"recipe", "via", "name", "key", "webhook", "queue", "weight", "stop-after", "deadline", "missing-ok",
		"include", "exclude", "exclude-from", "ignore-case", "min-size", "max-size", "newer", "dry-run"} {
		if cmd.Flags().Changed(flag) {
			return usagef("--resume cannot be combined with --%s: it is stored with the transfer", flag)
		}
	}
	return nil
}

// submitResume resumes an interrupted submission; list is nil unless it was given again.
func (p *program) submitResume(ctx context.Context, b *baler.Baler, f *submitFlags, list io.Reader) error {
	t, err := direct{b}.FindTransfer(ctx, f.resume)
	if err != nil {
		return err
	}
	if err := p.checkQueue(ctx, b, t.Via == tasks.ViaGroup); err != nil {
		return err
	}
	if t, err = p.resumeSubmission(ctx, b, t, &baler.Submission{List: list, NulSeparated: f.null}); err != nil {
		return err
	}
	return p.submitted(ctx, direct{b}, &t, origin{resumed: true}, f)
}

// resumeSubmission registers the missing files of a transfer, those of the submission's list
// if it has one, and shows the progress.
func (p *program) resumeSubmission(ctx context.Context, b *baler.Baler, t tasks.Transfer, s *baler.Submission) (tasks.Transfer, error) {
	notes := &skippedFiles{p: p}
	follower := p.follow(ctx, direct{b}, p.newDisplay(false, true))
	if !sealed(&t) {
		follower.begin(t)
	}
	var now tasks.Transfer
	var err error
	if s.List != nil {
		now, err = b.ResumeList(ctx, t, s.List, s.NulSeparated, notes.see)
	} else {
		now, err = b.ResumeSubmit(ctx, t, notes.see)
	}
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
	case errors.Is(err, baler.ErrKeyReused):
		return now, err
	case errors.Is(err, baler.ErrAlreadySealed), errors.Is(err, baler.ErrProducerAlive), errors.Is(err, baler.ErrNotFromList),
		errors.Is(err, baler.ErrListByRequests):
		return now, fmt.Errorf("transfer %s cannot be resumed: %w", number(&t), err)
	case errors.Is(err, baler.ErrPathsFromList):
		return now, fmt.Errorf("transfer %s cannot be resumed: %w: 'baler submit --resume %[1]s -', or with --files-from", number(&t), err)
	}
	return now, p.submitStopped(ctx, direct{b}, &now, err)
}

// adoptUnfinished resumes the transfer of a key when its submission was interrupted.
// For a sealed transfer it only prints a note.
func (p *program) adoptUnfinished(
	ctx context.Context, b *baler.Baler, t tasks.Transfer, s *baler.Submission,
) (now tasks.Transfer, resumed bool, err error) {
	if !sealed(&t) {
		t, err = b.AwaitProducer(ctx, t, func(until time.Time) {
			p.notef("Another submission with this key began transfer %s and may still be registering files; waiting until %s.",
				number(&t), local(until))
		})
		if err == nil && !sealed(&t) {
			now, err = p.resumeSubmission(ctx, b, t, s)
			return now, err == nil, err
		}
		if err == nil && s.List != nil { // which nobody has compared yet
			_, _, err = b.Submit(ctx, *s)
		}
		if errors.Is(err, baler.ErrKeyReused) {
			return t, false, err
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

// noteIgnored says which flags have no effect on a transfer that its key has found.
func (p *program) noteIgnored(t *tasks.Transfer, f *submitFlags) {
	if f.name != "" && f.name != t.Name {
		p.notef("note: --name has no effect: the transfer is named %q.", t.Name)
	}
	if via, err := tasks.ParseVia(f.via, t.Via); err == nil && via != t.Via {
		p.notef("note: --via has no effect: the transfer's files go by %s.", t.Via)
	}
	if f.weight != t.Weight {
		p.notef("note: the transfer has the weight %d, not %d; 'baler update' changes it.", t.Weight, f.weight)
	}
	if limit, err := tasks.ParseStopAfter(f.stopAfter); err == nil && f.stopAfter != "" && limit != t.StopAfter {
		p.notef("note: --stop-after has no effect, because %s; 'baler update' changes it.", stopping(t.StopAfter))
	}
	if f.deadline != "" {
		p.notef("note: --deadline has no effect: the transfer has %s; 'baler update' changes it.", havingDeadline(t))
	}
}

// sealed reports whether a transfer's number of files is final.
func sealed(t *tasks.Transfer) bool {
	return t.State != tasks.StateOpen && t.State != tasks.StateInterrupted
}
