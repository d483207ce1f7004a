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

// CheckWebhook reports why an address cannot receive webhooks, whatever networks they
// may reach. The error contains no password.
func CheckWebhook(address string) error {
	if len(address) > longestURL {
		return fmt.Errorf("has %d bytes; some servers accept at most %d", len(address), longestURL)
	}
	u, err := url.Parse(address)
	if err != nil { // its text contains the address, and perhaps a password
		return errors.New("is not a URL; write it as https://host/path")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("%q is not an HTTP address; write it as https://host/path", u.Redacted())
	}
	return nil
}

func (v *validation) webhook(w Webhook) {
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
