package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// checkRemote refuses what cannot be submitted through a server.
func (f *submitFlags) checkRemote(s *baler.Submission) error {
	switch {
	case f.dryRun:
		return usagef("--dry-run does not work through a server: leave out --server, and unset BALER_SERVER")
	case s.List != nil && !s.Selection.All():
		return usagef("a list that goes to a server has no --include, --exclude, sizes or --newer: leave out its other paths before")
	}
	return checkRemotePaths(s.Paths)
}

// checkRemotePaths refuses paths that a server cannot be asked for.
func checkRemotePaths(paths []string) error {
	for _, p := range paths {
		if !path.IsAbs(p) {
			return usagef("%q is not absolute: the paths are those of the server", p)
		}
		if strings.ToValidUTF8(p, "") != p {
			return usagef("%s is not UTF-8: list such paths with 'baler submit -'", quoted(p))
		}
	}
	return nil
}

// submitRemote submits paths of the server, or a list of them.
func (p *program) submitRemote(cmd *cobra.Command, s *baler.Submission, f *submitFlags) error {
	if err := f.checkRemote(s); err != nil {
		return err
	}
	return p.withRemote(cmd, func(ctx context.Context, r *remote) error {
		order := client.Submission{
			Paths: s.Paths, Recipe: f.recipe, Name: s.Name, Queue: s.Queue, Weight: s.Weight, Via: string(s.Via), Webhooks: s.Webhooks,
			MissingOK: s.MissingOK, NoReuse: s.NoReuse, StopAfter: s.StopAfter, Deadline: s.Deadline, Selection: client.Selection(s.Selection),
			Key: cmp.Or(s.IdempotencyKey, "baler submit "+rand.Text()), // so that it can be repeated after a broken connection
		}
		var own *recipe.Recipe
		if recipe.IsPath(f.recipe) {
			var err error
			if own, err = recipe.Load(f.recipe); err != nil {
				return err
			}
			order.Recipe = strings.TrimSuffix(own.YAML(), "\n") + "\n" // by which the server knows that it is no name
		}
		made, err := r.Submit(ctx, order)
		if err != nil {
			return err
		}
		p.noteUnsetLimitsThrough(ctx, r, own, f.recipe)
		t := transferOf(&made)
		created := made.Changed || s.IdempotencyKey == ""
		if created {
			p.noteWeight(&t)
		}
		if s.List != nil {
			t, err = p.sendList(ctx, r, t, created, s)
		} else {
			t, err = p.awaitSealed(ctx, r, t)
		}
		if err != nil {
			return err
		}
		if !created {
			p.notef("Transfer %s was submitted with this key before; nothing was added.", number(&t))
			p.noteIgnored(&t, f)
		}
		return p.submitted(ctx, r, &t, origin{created: created}, f)
	})
}

func (p *program) withRemote(cmd *cobra.Command, do func(context.Context, *remote) error) error {
	cfg, err := p.settings(cmd)
	if err != nil {
		return err
	}
	r, err := p.openRemote(cfg)
	if err != nil {
		return err
	}
	defer r.close()
	return r.explain(do(cmd.Context(), r))
}

// awaitSealed waits until the server has registered all files of a transfer.
func (p *program) awaitSealed(ctx context.Context, r *remote, t tasks.Transfer) (tasks.Transfer, error) {
	if sealed(&t) {
		return t, nil
	}
	waiting, done := context.WithCancel(ctx)
	defer done()
	d := p.newDisplay(false, true)
	_, err := r.Wait(waiting, t.UUID, func(now tasks.Transfer) {
		t = now
		d.show(read(&t, time.Now()))
		if sealed(&t) {
			done()
		}
	})
	d.end()
	if sealed(&t) {
		return t, nil
	}
	if isInterrupt(ctx, err) {
		p.notef("Transfer %s has %s registered so far; the server registers the others.", number(&t), files(t.Files))
		return t, codeError(exitInterrupted)
	}
	return t, err
}

// sendList sends the paths of a list that the transfer does not have, and says that there
// are no more.
func (p *program) sendList(ctx context.Context, r *remote, t tasks.Transfer, created bool, s *baler.Submission) (tasks.Transfer, error) {
	var mark tasks.ListMark // of the whole list, in the end
	paths := marking(&mark, scan.Paths(s.List, s.NulSeparated))
	if !created && sealed(&t) {
		return t, p.sameList(&t, &mark, paths)
	}
	d := p.newDisplay(false, true)
	sender := listSender{p: p, r: r, t: t, display: d, notes: &skippedFiles{p: p}}
	err := sender.send(ctx, unsent(r.FilePaths(ctx, t.UUID, 0, t.Files), paths))
	d.end()
	sender.notes.end()
	if _, another := errors.AsType[*anotherListError](err); another {
		return t, fmt.Errorf("%w: transfer %s of key %q %w", baler.ErrKeyReused, number(&t), t.Key, err)
	}
	if err != nil {
		return t, p.submitStopped(ctx, r, &t, err)
	}
	now, err := r.SealList(ctx, t.UUID, mark.Paths, mark.Hex())
	return transferOf(&now), err
}

// sameList reads a list to its end, and reports an ErrKeyReused when it is not that of a
// transfer with its key.
func (*program) sameList(t *tasks.Transfer, mark *tasks.ListMark, paths iter.Seq2[string, error]) error {
	for _, err := range paths {
		if err != nil {
			return err
		}
	}
	if difference := t.List.Difference(*mark); difference != "" {
		return fmt.Errorf("%w: transfer %s of key %q has %s; use another key, or submit the same again",
			baler.ErrKeyReused, number(t), t.Key, difference)
	}
	return nil
}

// listSender sends a list to a server in requests of some paths.
type listSender struct {
	p       *program
	r       *remote
	t       tasks.Transfer
	display display
	notes   *skippedFiles
}

func (l *listSender) send(ctx context.Context, paths iter.Seq2[string, error]) error {
	for page, err := range pages(ctx, paths) {
		if err != nil {
			return err
		}
		order := make([]client.File, len(page))
		for i, name := range page {
			order[i] = client.File{Path: name, Size: -1}
		}
		added, err := l.r.Append(ctx, l.t.UUID, l.t.Files, order)
		for _, s := range added.Skipped {
			l.notes.see(scan.SkippedEntry{Path: s.Path, Reason: scan.SkipReason(s.Reason), Detail: s.Detail})
		}
		l.notes.more(added.SkippedFiles - int64(len(added.Skipped)))
		l.t.Files = added.Files
		if err != nil {
			return err
		}
		l.display.show(read(&l.t, time.Now()))
	}
	return nil
}
