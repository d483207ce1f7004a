package notify

import (
	"context"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/internal/store"
)

// attempt sends a message to its receiver, in the form that its address says. A nil error
// means that the receiver has accepted it.
func (s *Sender) attempt(ctx context.Context, d *store.WebhookDelivery, now time.Time) error {
	form, target := egress.FormOf(d.URL)
	if form == egress.Plain {
		return s.poster.send(ctx, d, now)
	}
	m, err := readMessage(d.Body, s.opts.Site)
	if err != nil {
		return err
	}
	return s.tell(ctx, form, target, &m)
}

// tell sends a message to people.
func (s *Sender) tell(ctx context.Context, form egress.Form, target string, m *Message) error {
	text, err := render(s.opts.Templates.text, m)
	if err != nil {
		return err
	}
	if form == egress.Mail {
		subject, err := render(s.opts.Templates.subject, m)
		if err != nil {
			return err
		}
		return s.mailer.send(ctx, target, m, subject, text)
	}
	body, err := chatBody(form, text)
	if err != nil {
		return err
	}
	return s.poster.post(ctx, target, strings.NewReader(body), nil)
}

// Try sends a sample to an address at once, with one attempt, and returns why it did not arrive.
func (s *Sender) Try(ctx context.Context, address string) error {
	now := s.opts.Now()
	m := Sample(now)
	form, target := egress.FormOf(address)
	if form != egress.Plain {
		return s.tell(ctx, form, target, &m)
	}
	return s.poster.send(ctx, &store.WebhookDelivery{
		Event: "test", URL: address, Attempts: 1, Body: `{"event":"test","type":"test","at":"` + now.UTC().Format(time.RFC3339) + `"}`,
	}, now)
}
