package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/egress"
)

func (p *program) notifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try an address for notifications",
		Long: `Transfers notify addresses of what happens to them: those of --webhook and of the setting
webhook.urls. 'notify test' tries one.`,
		Example: "  baler notify test mailto:ops@example.org",
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "test ADDRESS",
		Short: "Send a sample to an address",
		Long: `Test sends a sample to an address, once, with the settings of this process, and says whether
the receiver has accepted it. The address is that of a webhook (https://...), of an incoming
webhook of Slack (slack+https://...) or Teams (teams+https://...), or of mail
(mailto:name@host).`,
		Example: `  baler notify test https://example.org/hook
  baler notify test slack+https://hooks.slack.com/services/T0/B0/XX
  baler notify test mailto:ops@example.org`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, baler.OpenStore, func(ctx context.Context, b *baler.Baler, _ config.Config) error {
				return p.notifyTest(ctx, b, args[0])
			})
		},
	})
	return cmd
}

func (p *program) notifyTest(ctx context.Context, b *baler.Baler, address string) error {
	host := printable(egress.HostOf(address)) // the rest is a secret
	if err := b.TryNotification(ctx, address); err != nil {
		return fmt.Errorf("notify %s: %w", cmp.Or(host, "test"), err) // an address that is wrong may name no host
	}
	if p.json {
		return p.object(struct {
			Type     string `json:"type"` // always "notification"
			Host     string `json:"host"`
			Accepted bool   `json:"accepted"`
		}{"notification", host, true})
	}
	p.printf("%s has accepted a sample.", host)
	return nil
}
