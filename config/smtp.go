package config

import (
	"fmt"
	"net/mail"
	"os"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/dsn"
)

// SMTPSettings name the server that sends mail for webhooks that begin with mailto.
type SMTPSettings struct {
	Address      string   `koanf:"address"` // host:port; empty: no mail
	Username     string   `koanf:"username"`
	Password     string   `koanf:"password"`
	PasswordFile string   `koanf:"password_file"` // the file that holds it instead
	From         string   `koanf:"from"`
	TLS          string   `koanf:"tls"`     // starttls, tls or none
	Domains      []string `koanf:"domains"` // that get mail, beside that of From
}

func (v *validation) smtp(s SMTPSettings) {
	v.requiref(s.Password == "" || s.PasswordFile == "", "smtp.password_file", "is set beside smtp.password; set one of them")
	v.requiref(slices.Contains([]string{"starttls", "tls", "none"}, s.TLS), "smtp.tls", "%s must be starttls, tls or none", dsn.Quote(s.TLS))
	if s.Address == "" {
		return
	}
	v.requiref(isAddress(s.Address), "smtp.address",
		"%s is not an address; write host:port, such as mail.example.org:587", dsn.Quote(s.Address))
	_, err := mail.ParseAddress(s.From)
	v.requiref(err == nil, "smtp.from", "must be an address of mail, such as baler@example.org")
}

// ReadPassword returns the password at the mail server, from the settings or from its file.
func (s SMTPSettings) ReadPassword() (string, error) {
	if s.PasswordFile == "" {
		return s.Password, nil
	}
	content, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("read smtp.password_file: %w", err)
	}
	password := strings.TrimRight(string(content), "\r\n")
	if password == "" {
		return "", fmt.Errorf("smtp.password_file: %s is empty", s.PasswordFile)
	}
	return password, nil
}
