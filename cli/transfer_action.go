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

// transferAction is one of cancel, pause and resume.
type transferAction struct {
	// do reports false when the state of the transfer does not allow it.
	do func(context.Context, system, tasks.Transfer) (bool, error)

	did    func(*tasks.Transfer) string // describes the transfer after the action
	didNot func(*tasks.Transfer) string // why the action is not possible
}

// runTransferAction runs the action, and shows the state of the transfer after it.
func (p *program) runTransferAction(cmd *cobra.Command, id string, s transferAction) error {
	return p.withSystem(cmd, baler.OpenStore, func(ctx context.Context, b system, _ config.Config) error {
		t, err := b.FindTransfer(ctx, id)
		if err != nil {
			return err
		}
		p.changed = t.UUID
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

// endedAlready returns the error for a transfer that has ended.
func endedAlready(t *tasks.Transfer) string {
	return fmt.Sprintf("transfer %s has already ended: %s at %s", number(t), stateOf(t), local(t.EndedAt))
}
