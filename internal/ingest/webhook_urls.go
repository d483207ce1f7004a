package ingest

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/balerhq/baler/config"
)

// checkWebhooks reports the first URL of the submission that no webhook can have, or
// whose address no webhook may reach.
func (g *Ingester) checkWebhooks(s *TransferRequest) error {
	for i, address := range s.Webhooks {
		if err := cmp.Or(config.CheckWebhook(address), g.reach.CheckURL(address)); err != nil {
			return fmt.Errorf("webhook %d: %w", i+1, err)
		}
	}
	return nil
}

// webhooks are the URLs that get the end of a submission's transfer, each once.
func (g *Ingester) webhooks(s *TransferRequest) []string {
	var all []string
	for _, address := range slices.Concat(g.siteWebhooks, s.Webhooks) {
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all
}
