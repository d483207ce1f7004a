package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/tasks"
)

// transferAction changes what becomes of a transfer: it is cancel, pause or resume.
type transferAction struct {
	// do reports false when the transfer is not in a state for it.
	do func(context.Context, *baler.Baler, tasks.Transfer) (bool, error)

	did    func(*tasks.Transfer) string // of the transfer as it is after that
	didNot func(*tasks.Transfer) string // what keeps it from being done
}

// runTransferAction does it, and shows how the transfer stands then.
func (p *program) runTransferAction(cmd *cobra.Command, id string, s transferAction) error {
	return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
		t, err := b.FindTransfer(ctx, id)
		if err != nil {
			return err
		}
		ok, err := s.do(ctx, b, t)
		if err != nil {
			return err
		}
		if t, err = b.Transfer(ctx, t.UUID); err != nil {
			return err
		}
		if !ok {
			return errors.New(s.didNot(&t))
		}
		if p.json {
			return p.summarize(&t)
		}
		p.printf("%s", s.did(&t))
		return nil
	})
}

// endedAlready complains of a transfer that nothing can be done with any more.
func endedAlready(t *tasks.Transfer) string {
	return fmt.Sprintf("transfer %s has already ended: %s at %s", number(t), stateOf(t), local(t.EndedAt))
}
