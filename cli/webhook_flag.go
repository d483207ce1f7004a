package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/config"
)

// webhooks are the URLs that --webhook gathers, one at a time.
type webhooks []string

func webhookFlag(cmd *cobra.Command, to *webhooks) {
	cmd.Flags().Var(to, "webhook", "`URL` to notify of what happens to the transfer, also slack+https://, teams+https:// or mailto:, "+
		"in addition to webhook.urls; may be repeated")
}

// Set accepts any value: an error of Set would show the whole URL.
func (w *webhooks) Set(address string) error {
	*w = append(*w, address)
	return nil
}

// check returns an error for the first invalid URL.
func (w *webhooks) check() error {
	for i, address := range *w {
		if err := config.CheckWebhook(address); err != nil {
			return usagef("--webhook number %d %w", i+1, err)
		}
	}
	return nil
}

func (w *webhooks) String() string { return strings.Join(*w, ",") }

// Type names the kind of value to cobra.
func (w *webhooks) Type() string { return "URL" }
