package baler

import (
	"context"
	"fmt"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/notify"
)

// notifyOptions are the settings of messages about transfers. A password that cannot be read
// keeps mail from being sent, which each attempt says.
func (b *Baler) notifyOptions() notify.SenderOptions {
	w, s := b.cfg.Webhook, b.cfg.SMTP
	o := notify.SenderOptions{
		Secret: w.Secret, Reach: b.reach, Templates: b.messages, Site: b.cfg.HTTP.URL, StallAfter: w.StallAfter,
		Mail: notify.MailOptions{Address: s.Address, Username: s.Username, From: s.From, TLS: s.TLS, Domains: s.Domains},
	}
	o.Mail.Password, o.Mail.Trouble = s.ReadPassword()
	return o
}

// TryNotification sends a sample to an address as in Submission.Webhooks, once, and returns why
// it did not arrive.
func (b *Baler) TryNotification(ctx context.Context, address string) error {
	if err := config.CheckWebhook(address); err != nil {
		return fmt.Errorf("the address %w", err)
	}
	if err := b.reach.CheckURL(address); err != nil {
		return err
	}
	o := b.notifyOptions()
	o.Version, o.Log, o.Now = b.version, b.log, b.now
	return notify.NewSender(b.store, o).Try(ctx, address)
}
