package notify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/balerhq/baler/internal/notify"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
)

// mailServer is an SMTP server on this host that asks for a password, and refuses the first
// messages.
type mailServer struct {
	address string
	refuses int
	got     chan *mail.Message // accepted, with their bodies
}

const mailPassword = "mail-canary"

func newMailServer(t *testing.T, refuses int) *mailServer {
	t.Helper()
	m := &mailServer{got: make(chan *mail.Message, 10), refuses: refuses}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{server: m}, nil }))
	server.AllowInsecureAuth = true
	server.Domain = "localhost"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	testkit.Must(t, err)
	m.address = listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return m
}

type mailSession struct {
	server *mailServer
	known  bool
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "baler" || password != mailPassword {
			return errors.New("wrong password")
		}
		s.known = true
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (*mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s *mailSession) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	if s.server.refuses > 0 {
		s.server.refuses--
		return &smtp.SMTPError{Code: 451, Message: "try later"}
	}
	m.Body = strings.NewReader(string(body))
	s.server.got <- m
	return nil
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

func (m *mailServer) options() notify.MailOptions {
	return notify.MailOptions{Address: m.address, Username: "baler", Password: mailPassword, From: "Baler <baler@example.org>", TLS: "none"}
}

// The end of a transfer arrives by mail; a server that refuses it for now gets the same
// message again.
func TestMailArrives(t *testing.T) {
	t.Parallel()
	onEachStore(t, func(t *testing.T, e *env) {
		server := newMailServer(t, 1)
		tr := e.end("mailto:ops@example.org")
		e.start(e.Store, notify.SenderOptions{Mail: server.options(), Site: "https://baler.example.org/"})
		refused := e.await(tr, "refused", func(n *store.WebhookDelivery) bool { return strings.Contains(n.Error, "try later") })
		e.clock.Advance(time.Minute)
		sent := e.await(tr, "delivered", done)
		m := <-server.got
		body, err := io.ReadAll(m.Body)
		testkit.Must(t, err)
		for what, want := range map[string]string{
			m.Header.Get("Subject"): "Baler: photos has completed", m.Header.Get("To"): "<ops@example.org>",
			m.Header.Get("From"): `"Baler" <baler@example.org>`, m.Header.Get("Message-Id"): "<" + sent.Event + "@baler>",
		} {
			if what != want {
				t.Errorf("a header is %q, want %q", what, want)
			}
		}
		want := "photos has completed.\r\n0 of 0 files are done; failures: 0.\r\nTransfer " + tr.UUID
		if text := string(body); !strings.HasPrefix(text, want) || !strings.Contains(text, "https://baler.example.org/transfers/"+tr.UUID) {
			t.Errorf("the text is\n%s", text)
		}
		if strings.Contains(refused.Error, mailPassword) || refused.Event != sent.Event {
			t.Errorf("the first attempt of %s, then %s: %s", refused.Event, sent.Event, refused.Error)
		}
	})
}

func TestMailThatMayNotBeSent(t *testing.T) {
	t.Parallel()
	server := newMailServer(t, 0)
	for want, o := range map[string]notify.MailOptions{
		"no mail server is set here (smtp.address":                                {},
		"mail to the domain elsewhere.org is not allowed: add it to smtp.domains": server.options(),
		"send mail through " + server.address: func() notify.MailOptions {
			wrong := server.options()
			wrong.Password, wrong.Domains = mailPassword+"-wrong", []string{"ELSEWHERE.org"}
			return wrong
		}(),
		"the file is gone": {Address: server.address, Trouble: errors.New("the file is gone")},
	} {
		err := notify.NewSender(nil, notify.SenderOptions{Mail: o}).Try(t.Context(), "mailto:somebody@elsewhere.org")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), mailPassword) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	o := server.options()
	o.Domains = []string{"elsewhere.org"}
	testkit.Must(t, notify.NewSender(nil, notify.SenderOptions{Mail: o}).Try(t.Context(), "mailto:somebody@elsewhere.org"))
	if m := <-server.got; m.Header.Get("Subject") != "Baler: A test arrives" {
		t.Errorf("the subject is %q", m.Header.Get("Subject"))
	}
}

// Slack and Teams get what they understand, and nothing of the text is a command to them.
func TestChatsGetTheirForm(t *testing.T) {
	t.Parallel()
	onEachStore(t, func(t *testing.T, e *env) {
		rc := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
		templates, err := notify.NewTemplates("", `<!channel> [{{.Name}}](http://x) & {{.What}}{{"\n"}}{{.Failures}}`)
		testkit.Must(t, err)
		e.start(e.Store, notify.SenderOptions{Templates: templates})
		for form, want := range map[string]string{
			"slack": `{"text":"&lt;!channel&gt; [photos](http://x) &amp; has completed\n0"}`,
			"teams": `{"attachments":[{"content":{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","body":[{"text":` +
				`"<!channel> \\[photos\\](http://x) & has completed\n\n0","type":"TextBlock","wrap":true}],"type":"AdaptiveCard","version":"1.4"},` +
				`"contentType":"application/vnd.microsoft.card.adaptive"}],"type":"message"}`,
		} {
			tr := e.end(form + "+" + rc.URL + "/hook")
			r := rc.next(t)
			body, err := io.ReadAll(r.Body)
			testkit.Must(t, err)
			var got, expected any
			testkit.Must(t, errors.Join(json.Unmarshal(body, &got), json.Unmarshal([]byte(want), &expected)))
			if fmt.Sprint(got) != fmt.Sprint(expected) || r.URL.Path != "/hook" || r.Header.Get("Webhook-Signature") != "" {
				t.Errorf("%s gets %s %s", form, r.URL, body)
			}
			e.await(tr, "delivered", done)
		}
	})
}

func TestTemplatesAreTried(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"{{.Nothing}}": "can't evaluate field Nothing", "{{": "webhook.text:1: unclosed action"} {
		if _, err := notify.NewTemplates("", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, event := range []string{"{{.Transfer.Stopped}}", "{{.Transfer.Results.Failed}}", "{{.Fixity.Damaged}}", "{{.Link}}"} {
		if _, err := notify.NewTemplates(event, event); err != nil {
			t.Errorf("%q: %v", event, err)
		}
	}
}
