package baler

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

// changeDetector lets through what no earlier run has registered. A transfer is begun
// when the first such file comes.
type changeDetector struct {
	b          *Baler
	submission *Submission
	sources    []string
	lineage    string

	held     []tasks.File
	transfer tasks.Transfer
	intake   *registrar
}

// noveltyPage is how many files are looked up at a time.
const noveltyPage = 1000

func (n *changeDetector) begin(ctx context.Context) error {
	t, _, err := n.b.store.Create(ctx, n.b.newTransfer(n.submission, n.sources, n.lineage))
	if err != nil {
		return err
	}
	return n.resume(ctx, t)
}

// resumeSubmission takes the latest transfer up when it has not ended.
func (n *changeDetector) goOn(ctx context.Context, latest tasks.Transfer) (resumed bool, err error) {
	if latest.State.Ended() {
		return false, nil
	}
	if !latest.PausedAt.IsZero() {
		return false, fmt.Errorf("%w: let %s go on first ('baler resume %s')", ErrPaused, latest.UUID, latest.UUID)
	}
	if latest.State == tasks.StateFinalizing {
		return false, nil // what is new makes a transfer of its own; this one is waited for
	}
	resumed, err = n.b.store.Reopen(ctx, latest.ID)
	if err != nil || !resumed {
		return false, err
	}
	return true, n.resume(ctx, latest)
}

func (n *changeDetector) resume(ctx context.Context, t tasks.Transfer) (err error) {
	n.transfer = t
	n.intake, err = n.b.newRegistrar(ctx, t.ID, n.lineage)
	if err == nil && n.submission.OnCreated != nil {
		n.submission.OnCreated(t)
	}
	return err
}

func (n *changeDetector) add(ctx context.Context, f tasks.File) error {
	n.held = append(n.held, f)
	if len(n.held) < noveltyPage {
		return nil
	}
	return n.pass(ctx)
}

// pass looks the held files up and registers the new ones.
func (n *changeDetector) pass(ctx context.Context) error {
	if len(n.held) == 0 {
		return nil
	}
	unseen, err := n.b.store.ChangedFiles(ctx, n.lineage, n.held)
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

func (n *changeDetector) close(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		err = n.pass(ctx)
	}
	if n.intake == nil {
		return err
	}
	return errors.Join(err, n.intake.close(ctx))
}
