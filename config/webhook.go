package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/dsn"
	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/tasks"
	"github.com/balerhq/baler/webhook"
)

// longestURL is the length that all servers and proxies accept.
const longestURL = 2048

// errNotHTTP does not show the address: its password is not the only part that may
// be a secret, and where it begins is unclear when the address is malformed.
var errNotHTTP = errors.New("is not an HTTP address; write it as https://host/path, slack+https://host/path, " +
	"teams+https://host/path or mailto:name@host")

// CheckWebhook reports why an address cannot receive webhooks, whatever networks they
// may reach. The error does not show it.
func CheckWebhook(address string) error {
	if len(address) > longestURL {
		return fmt.Errorf("has %d bytes; some servers accept at most %d", len(address), longestURL)
	}
	form, target := egress.FormOf(address)
	if form == egress.Mail {
		return checkMailbox(target)
	}
	u, err := url.Parse(target)
	if err != nil {
		return errNotHTTP
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errNotHTTP
	}
	return nil
}

// checkMailbox reports why text is no address of mail, such as ops@example.org.
func checkMailbox(text string) error {
	if box, err := mail.ParseAddress(text); err != nil || box.Address != text {
		return errors.New("is not an address of mail; write it as mailto:name@host")
	}
	return nil
}

func (v *validation) webhook(w WebhookSettings) {
	if w.Secret != "" {
		if err := webhook.CheckSecret(w.Secret); err != nil {
			v.problems.addf("", "webhook.secret", "is unusable: %v", err)
		}
	}
	for _, name := range w.Events {
		v.requiref(slices.Contains(tasks.TransferEvents(), name), "webhook.events", "%s is none of %s",
			dsn.Quote(name), strings.Join(tasks.TransferEvents(), ", "))
	}
	v.above("webhook.stall_after", w.StallAfter)
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
