package config

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/balerhq/baler/webhook"
)

// longestURL is what servers and what is between take for a URL.
const longestURL = 2048

// CheckWebhook says why an address cannot be told of a transfer's end. The
// error shows no password.
func CheckWebhook(address string) error {
	if len(address) > longestURL {
		return fmt.Errorf("has %d bytes; a URL of more than %d is not understood everywhere", len(address), longestURL)
	}
	u, err := url.Parse(address)
	if err != nil { // its text repeats the address, and with it what may be a password
		return errors.New("is not a URL; write it as https://host/path")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return fmt.Errorf("%q is not an address on the web; write it as https://host/path", u.Redacted())
	}
	return nil
}

func (v *validation) webhook(w Webhook) {
	if w.Secret != "" {
		if err := webhook.CheckSecret(w.Secret); err != nil {
			v.problems.addf("", "webhook.secret", "is unusable: %v", err)
		}
	}
	for i, address := range w.URLs {
		if err := CheckWebhook(address); err != nil {
			v.problems.addf("", "webhook.urls", "number %d %v", i+1, err)
		}
	}
}
