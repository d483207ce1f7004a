package baler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// Ran is what came of a Run.
type Ran struct {
	Transfer tasks.Transfer // the one that was worked on, or the last one when nothing had changed
	Resumed  bool           // it was begun by an earlier run
	Changed  bool           // there was something to do
}

// Run registers what the submission's paths hold, works on it in this process,
// and returns when it has ended. Run again for the same paths and recipe it
// goes on where it stopped, and registers only what was added or changed since.
// When ctx ends, work stops in order and Run gives the error of ctx.
func (b *Baler) Run(ctx context.Context, s Submission) (ran Ran, err error) {
	sources, err := s.sources()
	if err != nil {
		return ran, err
	}
	working, stop := context.WithCancel(ctx)
	worked := make(chan error, 1)
	outer := ctx
	ctx, giveUp := context.WithCancel(ctx)
	go func() {
		worked <- b.Work(working)
		giveUp() // a worker that cannot start will never finish what is waited for
	}()
	defer func() {
		stop()
		workErr := <-worked
		if workErr != nil && outer.Err() == nil && errors.Is(err, context.Canceled) {
			err = nil // it only says that we gave up; why is the worker's to say
		}
		err = errors.Join(err, workErr)
	}()
	err = b.alone(ctx, lineageOf(sources, &s), func(ctx context.Context) (err error) {
		if ran, err = b.runOnce(ctx, &s, sources); err != nil || !ran.Changed {
			return err
		}
		if _, err := b.store.Seal(ctx, ran.Transfer.ID); err != nil {
			return fmt.Errorf("run: %w", err)
		}
		return nil
	})
	if err != nil || !ran.Changed {
		return ran, err
	}
	ran.Transfer, err = b.Wait(ctx, ran.Transfer.UUID, nil)
	return ran, err
}

// runOnce registers what is new. It returns before that is processed.
func (b *Baler) runOnce(ctx context.Context, s *Submission, sources []string) (ran Ran, err error) {
	lineage := lineageOf(sources, s)
	latest, err := b.store.Latest(ctx, lineage)
	first := errors.Is(err, tasks.ErrNoTransfer)
	if err != nil && !first {
		return ran, err
	}
	n := &novelty{b: b, submission: s, sources: sources, lineage: lineage}
	if first {
		err = n.begin(ctx)
	} else if ran.Transfer = latest; !latest.State.Ended() {
		if ran.Resumed, err = b.store.Reopen(ctx, latest.ID); err == nil && ran.Resumed {
			err = n.resume(ctx, latest)
		}
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	err = b.collect(ctx, s, sources, func(f tasks.File) error { return n.add(ctx, f) })
	err = errors.Join(err, n.close(ctx))
	if n.intake != nil {
		ran.Transfer, ran.Changed = n.transfer, true
	}
	if err != nil {
		return ran, fmt.Errorf("run: %w", err)
	}
	return ran, nil
}

// lineageOf names the succession of transfers of the same sources and recipe.
func lineageOf(sources []string, s *Submission) string {
	sum := sha256.Sum256([]byte(strings.Join(sources, "\x00") + "\x00\x00" + s.Recipe.Digest()))
	return hex.EncodeToString(sum[:])
}

// novelty lets through what no earlier run has registered. A transfer is begun
// when the first such file comes.
type novelty struct {
	b          *Baler
	submission *Submission
	sources    []string
	lineage    string

	held     []tasks.File
	transfer tasks.Transfer
	intake   *intake
}

// noveltyPage is how many files are looked up at a time.
const noveltyPage = 1000

func (n *novelty) begin(ctx context.Context) error {
	t, _, err := n.b.store.Create(ctx, n.b.newTransfer(n.submission, n.sources, n.lineage))
	if err != nil {
		return err
	}
	return n.resume(ctx, t)
}

func (n *novelty) resume(ctx context.Context, t tasks.Transfer) (err error) {
	n.transfer = t
	n.intake, err = n.b.newIntake(ctx, t.ID, n.lineage)
	if err == nil && n.submission.Started != nil {
		n.submission.Started(t)
	}
	return err
}

func (n *novelty) add(ctx context.Context, f tasks.File) error {
	n.held = append(n.held, f)
	if len(n.held) < noveltyPage {
		return nil
	}
	return n.pass(ctx)
}

// pass looks the held files up and registers the new ones.
func (n *novelty) pass(ctx context.Context) error {
	if len(n.held) == 0 {
		return nil
	}
	unseen, err := n.b.store.Unseen(ctx, n.lineage, n.held)
	if err != nil {
		return err
	}
	n.held = n.held[:0]
	for _, f := range unseen {
		if n.intake == nil {
			if err := n.begin(ctx); err != nil {
				return err
			}
		}
		if err := n.intake.add(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

func (n *novelty) close(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = n.pass(ctx)
	}
	if n.intake == nil {
		return err
	}
	return errors.Join(err, n.intake.close(ctx))
}
