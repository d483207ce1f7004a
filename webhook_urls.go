package baler

import (
	"fmt"
	"slices"

	"github.com/balerhq/baler/config"
)

// sources are where a submission's files are, once it can be done as it is meant.
func (s *Submission) sources() ([]string, error) {
	for i, address := range s.Webhooks {
		if err := config.CheckWebhook(address); err != nil {
			return nil, fmt.Errorf("webhook %d: %w", i+1, err)
		}
	}
	return absolute(s.Paths)
}

// webhooks are the URLs to tell of the end of a submission's transfer, each once.
func (b *Baler) webhooks(s *Submission) []string {
	var all []string
	for _, address := range slices.Concat(b.cfg.Webhook.URLs, s.Webhooks) {
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all
}
