package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"

	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/webhook"
)

// longestURL is the length that all servers and proxies accept.
const longestURL = 2048

// errNotHTTP does not show the address: its password is not the only part that may
// be a secret, and where it begins is unclear when the address is malformed.
var errNotHTTP = errors.New("is not an HTTP address; write it as https://host/path")

// CheckWebhook reports why an address cannot receive webhooks, whatever networks they
// may reach. The error does not show it.
func CheckWebhook(address string) error {
	if len(address) > longestURL {
		return fmt.Errorf("has %d bytes; some servers accept at most %d", len(address), longestURL)
	}
	u, err := url.Parse(address)
	if err != nil {
		return errNotHTTP
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errNotHTTP
	}
	return nil
}

func (v *validation) webhook(w WebhookSettings) {
	if w.Secret != "" {
		if err := webhook.CheckSecret(w.Secret); err != nil {
			v.problems.addf("", "webhook.secret", "is unusable: %v", err)
		}
	}
	reach, err := egress.New(w.Networks)
	if err != nil {
		v.problems.addf("", "webhook.networks", "%v", err)
		return
	}
	for i, address := range w.URLs {
		if err := cmp.Or(CheckWebhook(address), reach.CheckURL(address)); err != nil {
			v.problems.addf("", "webhook.urls", "number %d %v", i+1, err)
		}
	}
}
