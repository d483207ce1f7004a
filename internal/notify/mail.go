package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/balerhq/baler/internal/egress"
)

// MailOptions name the server that sends mail. The zero value sends none.
type MailOptions struct {
	Address  string // host:port; empty: no mail
	Username string // empty: the server asks for none
	Password string
	From     string
	TLS      string   // starttls, tls or none
	Domains  []string // that get mail, beside that of From
	Trouble  error    // why the password cannot be read
}

var errNoMail = errors.New("no mail server is set here (smtp.address, BALER_SMTP_ADDRESS)")

// mailer sends messages by SMTP.
type mailer struct {
	MailOptions

	agent   string
	timeout time.Duration
}

// send makes one attempt. The message has the same Message-ID at each.
func (o *mailer) send(ctx context.Context, to string, m *Message, subject, text string) error {
	if o.Address == "" {
		return errNoMail
	}
	if o.Trouble != nil {
		return o.Trouble
	}
	if !o.maySendTo(to) {
		return fmt.Errorf("mail to the domain %s is not allowed: add it to smtp.domains (BALER_SMTP_DOMAINS)", egress.HostOf("mailto:"+to))
	}
	msg := mail.NewMsg()
	if err := errors.Join(msg.From(o.From), msg.To(to)); err != nil {
		return err
	}
	msg.Subject(oneLine(subject))
	msg.SetMessageIDWithValue(m.Event + "@baler")
	msg.SetDateWithValue(m.At)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetUserAgent(o.agent)
	msg.SetBodyString(mail.TypeTextPlain, text)
	client, err := o.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("no answer within %s", o.timeout))
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("send mail through %s: %w", o.Address, err)
	}
	return nil
}

func (o *mailer) client() (*mail.Client, error) {
	host, text, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	options := []mail.Option{mail.WithPort(port), mail.WithTimeout(o.timeout), mail.WithTLSPolicy(mail.TLSMandatory)}
	switch o.TLS {
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if o.Username != "" {
		auth := mail.SMTPAuthAutoDiscover
		if o.TLS == "none" { // the operator has chosen it, as for a server on this host
			auth = mail.SMTPAuthPlainNoEnc
		}
		options = append(options, mail.WithSMTPAuth(auth), mail.WithUsername(o.Username), mail.WithPassword(o.Password))
	}
	return mail.NewClient(host, options...)
}

// maySendTo reports whether mail may go to an address: everybody who may submit names some.
func (o *mailer) maySendTo(to string) bool {
	domain := egress.HostOf("mailto:" + to)
	own := egress.HostOf("mailto:" + strings.TrimSuffix(o.From, ">"))
	return slices.ContainsFunc(append([]string{own}, o.Domains...), func(d string) bool {
		return strings.EqualFold(d, domain)
	})
}
